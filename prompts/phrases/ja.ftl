language-name = 日本語
answer-language = 日本語で答えてください。

status-searching = 文書を検索しています…
status-writing = 回答を作成しています…

not-found = 閲覧できる文書の中に、この質問への答えは見つかりませんでした。別の言葉でお試しください。
nothing-indexed = まだ文書が登録されていません。登録後にもう一度お尋ねください。
extractive-intro = 質問に最も近い文書の箇所は次のとおりです。
sources = 出典
page = { NUMBER($page, useGrouping: 0) } ページ
updated = { DATETIME($date, dateStyle: "long") } 更新
restricted = 閲覧制限あり

model-unavailable = 回答を作成するサービスは現在ご利用いただけません（照会番号：{ $trace }）。
budget-spent = 回答を作成するための予算が、現在の上限に達しました。しばらくしてからもう一度ご質問ください。
interrupted = 回答が途中で止まりました。もう一度ご質問ください。照会番号：{ $trace }
try-again = 現在、回答をお出しできません。しばらくしてからもう一度お試しください。照会番号：{ $trace }
error = こちら側で問題が発生しました。繰り返し起きる場合は、この照会番号をお知らせください：{ $trace }
empty-question = 質問を入力してください。
question-too-long = 質問が長すぎます。{ $limit } 文字以内でお願いします。

nearest = 質問に最も近い文書は次のとおりです。
answer-missing = 文書には次の記載がありません：{ $what }
note-general = この回答は、文書を参照せずに作成しました。
note-alone = ここでは質問を一つずつ個別に扱います。続けて質問される場合は、省略せずにお書きください。
note-stale = 引用した内容の最終更新日は { DATETIME($date, dateStyle: "long") } です。現在も有効かどうかをご確認ください。
note-older = 以前の版には異なる記載があります。その日付：{ DATETIME($date, dateStyle: "long") }
note-removed = 出典で裏付けられない記述は省きました。
note-groups-unknown = 現在、所属グループを確認できないため、特定のグループ向けの文書は対象から外しました。不足がある場合は、後ほどもう一度ご質問ください。
note-history-left-out = ここを閲覧している全員が出典を開けるわけではないため、以前の回答は参照しませんでした。続けて質問される場合は、省略せずにお書きください。
note-unconfirmed = （出典では確認できません）
wrong-language = 回答を日本語で作成できませんでした。

web-title = 社内文書に質問する
web-welcome = 何をお知りになりたいですか？
web-intro = 会社の文書について質問してください。回答には出典が示されます。
web-question = 質問
web-hint = Enter キーで送信、Shift キーと Enter キーで改行します。
web-no-script = このページには JavaScript が必要です。ブラウザーで有効にしてください。
web-new = 新しい会話
web-send = 送信
web-stop = 停止
web-stopped = 停止しました。
web-answer-ready = 回答：
web-copy = 回答をコピー
web-copied = コピーしました
web-source = 出典 { $number }：{ $title }
web-sources = { sources }

web-no-connection = 接続が切れました。ネットワークを確認して、もう一度お試しください。

web-cancel = キャンセル
web-continue = 続ける
web-back = 質問に戻る

web-key = アクセスキー
web-key-title = アクセスが制限されています
web-key-needed = ここではアクセスキーが必要です。管理者にお問い合わせください。
web-wrong-key = このアクセスキーは正しくありません。ご確認のうえ、必要なら管理者に新しいキーをお求めください。
web-key-expired = このアクセスキーは有効期限が切れています。管理者に新しいキーをお求めください。
web-other-site = このリクエストは別のサイトから送られたため、拒否されました。このページを直接開いてください。
web-busy = 現在、質問が集中しています。しばらくしてからもう一度お試しください。
web-too-fast = このアクセスキーによるリクエストが多すぎます。1 分後にもう一度お試しください。
web-too-large = リクエストが大きすぎます。{ $limit } kB 以内にしてください。
web-unknown-model = このモデルはここにはありません。次のモデルをお使いください：{ $model }
web-no-document = この文書は存在しないか、閲覧する権限がありません。
web-not-found = このページは存在しません。

chat-searching = { $count } 件の情報源を検索しています…
chat-searching-privately = 検索しています。回答はご本人にだけ表示されます。
chat-reading-files = 添付ファイルを読み込んでいます…

chat-stop = 停止
chat-again = 回答し直す
chat-up = 役に立った
chat-down = 役に立たなかった
chat-share = チャンネルに共有
chat-fuller = 自分だけに詳しい回答
chat-disclose = それでも全員に表示
chat-person = 担当者に尋ねる
chat-resolved = 解決済みにする
chat-stopped-by = 停止した人：{ $name }
chat-shared-by = 共有した人：{ $name }
chat-resolved-by = 解決した人：{ $name }

chat-reason-title = ご意見
chat-reason-label = 何が足りませんでしたか？
chat-send = 送信
chat-thanks = ご意見をありがとうございます。
chat-shared = 回答をチャンネルに投稿します。
chat-only-you = この回答はご本人にだけ表示されています。
chat-not-yours = この操作は、質問した方か担当者だけが行えます。
chat-expired = このボタンは無効になりました。もう一度ご質問ください。
chat-usage = コマンドに続けて、同じ行に質問を入力してください：{ $command }

chat-late = ご質問に時間内にお答えできず、申し訳ありません。まだ必要でしたら、もう一度ご質問ください。
chat-gave-up = 何度か試みましたが、お答えできませんでした。後ほどもう一度ご質問ください。照会番号：{ $trace }
chat-needs-model = 言語モデルが設定されていないため、要約・翻訳・下書きはご利用いただけません。

chat-asks-person = 上の質問にお力添えをお願いできますか？依頼者：{ $name }
chat-tried = これまでに { $count } 件の情報源を検索し、上のとおり回答しました。
chat-handed-over = 質問を担当者に引き継ぎました。このスレッドで返信があります。
chat-no-owner = ここには質問を引き継ぐ担当者が決まっていません。この件に詳しい方にお尋ねください。

chat-from-files = この回答は、この会話のファイルに基づいています。
chat-from-conversation = この回答は、文書ではなく会話の内容から作成しました。
chat-image-declined = ここでは画像を読み取れません。内容を言葉でご説明ください：{ $name }
chat-file-unreadable = このファイルを読み取れませんでした。パスワードなしで開けるかご確認ください：{ $name }
chat-file-too-large = このファイルは大きすぎて読み取れません。必要な部分だけをお送りください：{ $name }

access-offer = より詳しい回答を作成できます。表示されるのはご本人にだけです。
access-disclose = この回答は、ここにいる全員が開けるわけではない文書に基づいています。それでも全員に表示しますか。
access-may-not = この回答の根拠の中に閲覧する権限のないものがあるため、この操作は行えません。
answer-withdrawn = この回答の根拠の一部がここでは閲覧できなくなったため、回答を取り下げました。もう一度ご質問ください。

quota-spent = 現在許可されている質問の数に達しました。{ $minutes } 分後にもう一度ご質問ください。
quota-workspace-spent = この場で現在許可されている質問の数に達しました。{ $minutes } 分後にもう一度ご質問ください。
quota-tokens-spent = 回答に使った計算量が、現在許可されている上限に達しました。{ $minutes } 分後にもう一度ご質問ください。

chat-prompts-title = 何をお知りになりたいですか？
chat-prompt-1-title = 休暇
chat-prompt-1 = 有給休暇は何日ありますか。どのように申請すればよいですか。
chat-prompt-2-title = パソコンの困りごと
chat-prompt-2 = パソコンにログインできなくなりました。どうすればよいですか。
chat-prompt-3-title = 出張費
chat-prompt-3 = 出張費の精算はどのように、いつまでに行えばよいですか。
