language-name = 中文
answer-language = 请用中文回答。

status-searching = 正在搜索文档……
status-writing = 正在撰写回答……

not-found = 您有权查看的文档中没有这个问题的答案。请换一种说法再试一次。
nothing-indexed = 尚未索引任何文档，完成索引后请再次提问。
extractive-intro = 以下是文档中最接近的段落：
sources = 来源
page = 第 { NUMBER($page, useGrouping: 0) } 页
updated = 更新于 { DATETIME($date, dateStyle: "long") }
restricted = 访问受限

model-unavailable = 撰写服务目前不可用（编号：{ $trace }）。
budget-spent = 撰写回答的预算目前已用完，请稍后再提问。
interrupted = 回答中途中断。请重新提问；编号：{ $trace }
try-again = 暂时无法给出回答。请稍后再试；编号：{ $trace }
error = 我们这边出了问题。如果再次发生，请提供此编号：{ $trace }
empty-question = 请输入问题。
question-too-long = 问题太长，请控制在 { $limit } 个字符以内。

nearest = 以下是最接近的文档：
answer-missing = 文档中没有说明：{ $what }
note-general = 此回答未参考文档。
note-alone = 此处每个问题都单独处理。后续提问请把问题写完整。
note-stale = 此处引用的内容最后修改于 { DATETIME($date, dateStyle: "long") }，请核实是否仍然有效。
note-older = 较早的版本有不同的说法，其日期为 { DATETIME($date, dateStyle: "long") }
note-removed = 没有来源支持的说法已略去。
note-groups-unknown = 暂时无法查询您所属的群组，因此未使用仅供特定群组查看的文档。如有缺漏，请稍后重新提问。
note-history-left-out = 由于并非此处所有人都有权查看先前回答的来源，先前的回答未予采用。后续提问请把问题写完整。
note-unconfirmed = （来源未证实）
wrong-language = 未能用中文写出回答。

web-title = 向我们的文档提问
web-welcome = 您想了解什么？
web-intro = 请就公司的文档提问，回答会注明来源。
web-question = 您的问题
web-hint = 按回车键发送问题，同时按住上档键则换行。
web-no-script = 此页面需要启用浏览器脚本，请在浏览器中允许。
web-new = 新对话
web-send = 发送
web-stop = 停止
web-stopped = 已停止。
web-answer-ready = 回答：
web-copy = 复制回答
web-copied = 已复制
web-source = 来源 { $number }：{ $title }
web-sources = { sources }

web-no-connection = 连接已断开。请检查网络后重试。

web-cancel = 取消
web-continue = 继续
web-back = 返回提问

web-key = 访问密钥
web-key-title = 访问受限
web-key-needed = 此处需要访问密钥，可向管理员索取。
web-wrong-key = 此访问密钥无效。请检查，或向管理员索取新的密钥。
web-key-expired = 此访问密钥已过期。请向管理员索取新的密钥。
web-other-site = 此请求来自其他网站，已被拒绝。请直接打开本页面。
web-busy = 目前提问太多，请稍后再试。
web-too-fast = 使用此访问密钥的请求过多，请一分钟后再试。
web-too-large = 请求过大，最多允许 { $limit } KB。
web-unknown-model = 此处没有这个模型。请使用：{ $model }
web-no-document = 没有这份文档，或者您无权查看。
web-not-found = 没有这个页面。

chat-searching = 正在搜索 { $count } 个来源……
chat-searching-privately = 正在搜索，回答仅您可见。
chat-reading-files = 正在读取附件……

chat-stop = 停止
chat-again = 重新回答
chat-up = 有帮助
chat-down = 没有帮助
chat-share = 分享到频道
chat-fuller = 更完整的回答（仅我可见）
chat-disclose = 仍然展示给此处所有人
chat-person = 请人解答
chat-resolved = 标记为已解决
chat-stopped-by = 停止者：{ $name }
chat-shared-by = 分享者：{ $name }
chat-resolved-by = 解决者：{ $name }

chat-reason-title = 您的反馈
chat-reason-label = 还缺少什么？
chat-send = 发送
chat-thanks = 感谢您的反馈。
chat-shared = 回答将发布到频道。
chat-only-you = 只有您能看到此回答。
chat-not-yours = 只有提问者或负责人可以这样做。
chat-expired = 此按钮已失效，请重新提问。
chat-usage = 请在同一行的命令后面输入问题：{ $command }

chat-late = 很抱歉未能及时回答您的问题。如果仍然需要，请重新提问。
chat-gave-up = 多次尝试后仍无法回答此问题。请稍后再问；编号：{ $trace }
chat-needs-model = 此处未配置语言模型，无法撰写摘要、翻译或草稿。

chat-asks-person = 请问您能帮忙解答上面的问题吗？求助者：{ $name }
chat-tried = 目前已搜索 { $count } 个来源，并给出了上面的回答。
chat-handed-over = 问题已转交给负责人，他们会在此消息列中回复。
chat-no-owner = 此处没有指定接手问题的人员，请向熟悉该主题的同事咨询。

chat-from-files = 此回答参考了本次对话中的文件。
chat-from-conversation = 此回答根据对话内容撰写，而非来自文档。
chat-image-declined = 此处无法读取图片，请用文字说明图片内容：{ $name }
chat-file-unreadable = 无法读取此文件，请确认它可以打开且没有密码：{ $name }
chat-file-too-large = 此文件太大，无法读取，请只发送相关部分：{ $name }

access-offer = 可以为您撰写一份更完整的回答，仅您可见。
access-disclose = 此回答所依据的文档并非此处所有人都有权查看。仍要展示给所有人吗？
access-may-not = 您无权查看此回答所依据的全部内容，因此无法进行此操作。
answer-withdrawn = 此回答所依据的部分内容在此处已不可查看，因此回答已撤回。请重新提问。

quota-spent = 您目前的提问次数已达上限。请在 { $minutes } 分钟后再提问。
quota-workspace-spent = 此处目前的提问次数已达上限。请在 { $minutes } 分钟后再提问。
quota-tokens-spent = 您的回答目前使用的计算资源已达上限。请在 { $minutes } 分钟后再提问。

chat-prompts-title = 您想了解什么？
chat-prompt-1-title = 休假
chat-prompt-1 = 我有多少天年假？怎样申请？
chat-prompt-2-title = 电脑问题
chat-prompt-2 = 我无法登录电脑了，该怎么办？
chat-prompt-3-title = 差旅报销
chat-prompt-3 = 差旅费怎样报销？期限是什么时候？
