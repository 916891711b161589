language-name = 中文
answer-language = 请用中文回答。

status-searching = 正在搜索文档……
status-writing = 正在撰写回答……

not-found = 您有权查看的文档中没有这个问题的答案。请换一种说法再试一次。
nothing-indexed = 尚未索引任何文档，完成索引后请再次提问。
extractive-intro = 以下是文档中最接近的段落：
uncited = 此回答没有引用文档中的任何段落，请核实后再采用。
sources = 来源
page = 第 { NUMBER($page, useGrouping: 0) } 页
updated = 更新于 { DATETIME($date, dateStyle: "long") }

model-unavailable = 撰写服务目前不可用（编号：{ $trace }）。
interrupted = 回答中途中断。请重新提问；编号：{ $trace }
try-again = 暂时无法给出回答。请稍后再试；编号：{ $trace }
error = 我们这边出了问题。如果再次发生，请提供此编号：{ $trace }
empty-question = 请输入问题。
question-too-long = 问题太长，请控制在 { $limit } 个字符以内。

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
web-other-site = 此请求来自其他网站，已被拒绝。请直接打开本页面。
web-busy = 目前提问太多，请稍后再试。
web-too-large = 请求过大，最多允许 { $limit } KB。
web-unknown-model = 此处没有这个模型。请使用：{ $model }
web-no-document = 没有这份文档，或者您无权查看。
web-not-found = 没有这个页面。
