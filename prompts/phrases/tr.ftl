language-name = Türkçe
answer-language = Türkçe yanıt verin.

status-searching = Belgelerde aranıyor…
status-writing = Yanıt yazılıyor…

not-found = Okuma izniniz olan belgelerde bu sorunun yanıtı yok. Lütfen soruyu başka sözcüklerle sormayı deneyin.
nothing-indexed = Henüz hiçbir belge dizine eklenmedi; eklendikten sonra yeniden sorabilirsiniz.
extractive-intro = Belgelerdeki en yakın bölümler şunlar:
sources = Kaynaklar
page = sayfa { NUMBER($page, useGrouping: 0) }
updated = güncelleme: { DATETIME($date, dateStyle: "long") }
restricted = kısıtlı erişim

model-unavailable = Yazma hizmetine şu anda ulaşılamıyor (başvuru numarası: { $trace }).
budget-spent = Yazılan yanıtlar için ayrılan bütçe şimdilik tükendi. Lütfen daha sonra yeniden sorun.
interrupted = Yanıt tamamlanmadan kesildi. Lütfen yeniden sorun; başvuru numarası: { $trace }
try-again = Yanıt şu anda verilemiyor. Lütfen birazdan yeniden deneyin; başvuru numarası: { $trace }
error = Bizim tarafımızda bir sorun oluştu. Yinelenirse lütfen şu başvuru numarasını bildirin: { $trace }
empty-question = Lütfen bir soru yazın.
question-too-long = Soru çok uzun. En fazla { $limit } karakter olabilir.

nearest = En yakın belgeler şunlar:
answer-missing = Belgelerde şu bilgi yer almıyor: { $what }
note-general = Bu yanıt belgelere başvurulmadan yazıldı.
note-alone = Burada her soru tek başına okunur. Lütfen devam sorularını da eksiksiz yazın.
note-stale = Burada alıntılananların son değişiklik tarihi: { DATETIME($date, dateStyle: "long") }. Lütfen hâlâ geçerli olup olmadığını denetleyin.
note-older = Daha eski bir sürümde farklı bir bilgi var; tarihi: { DATETIME($date, dateStyle: "long") }
note-removed = Kaynakların desteklemediği ifadeler çıkarıldı.
note-groups-unknown = Gruplarınız şu anda sorgulanamadığı için belirli gruplara ait belgeler dışarıda bırakıldı. Eksik bir şey varsa lütfen daha sonra yeniden sorun.
note-history-left-out = Burada okuyan herkesin kaynaklarını açma izni olmadığı için önceki yanıtlar dikkate alınmadı. Lütfen devam sorularını eksiksiz yazın.
note-unconfirmed = (kaynaklarca doğrulanmadı)
wrong-language = Yanıt Türkçe yazılamadı.

web-title = Belgelerimize sorun
web-welcome = Ne öğrenmek istersiniz?
web-intro = Şirket belgeleri hakkında bir soru sorun; yanıt kaynaklarını da gösterir.
web-question = Sorunuz
web-hint = Enter soruyu gönderir; Shift ve Enter yeni satır başlatır.
web-no-script = Bu sayfa JavaScript gerektirir; lütfen tarayıcıda izin verin.
web-new = Yeni konuşma
web-send = Gönder
web-stop = Durdur
web-stopped = Durduruldu.
web-answer-ready = Yanıt:
web-copy = Yanıtı kopyala
web-copied = Kopyalandı
web-source = Kaynak { $number }: { $title }
web-sources = { sources }

web-no-connection = Bağlantı koptu. Lütfen ağı denetleyip yeniden deneyin.

web-cancel = Vazgeç
web-continue = Devam
web-back = Sorulara dön

web-key = Erişim anahtarı
web-key-title = Erişim kısıtlıdır
web-key-needed = Burada bir erişim anahtarı gerekir; yöneticinizden alabilirsiniz.
web-wrong-key = Bu erişim anahtarı geçerli değil. Lütfen denetleyin ya da yöneticinizden yenisini isteyin.
web-key-expired = Bu erişim anahtarının süresi doldu. Lütfen yöneticinizden yenisini isteyin.
web-other-site = Bu istek başka bir siteden geldiği için reddedildi. Lütfen sayfanın kendisini açın.
web-busy = Şu anda çok fazla soru var. Lütfen birazdan yeniden deneyin.
web-too-fast = Bu erişim anahtarıyla çok fazla istek gönderildi. Lütfen bir dakika sonra yeniden deneyin.
web-too-large = İstek çok büyük; en fazla { $limit } kB olabilir.
web-unknown-model = Burada böyle bir model yok. Lütfen şunu kullanın: { $model }
web-no-document = Böyle bir belge yok ya da okuma izniniz bulunmuyor.
web-not-found = Böyle bir sayfa yok.

chat-searching = { $count } kaynakta aranıyor…
chat-searching-privately = Aranıyor; yanıtı yalnızca siz göreceksiniz.
chat-reading-files = Ekli dosyalar okunuyor…

chat-stop = Durdur
chat-again = Yeniden yanıtla
chat-up = Yararlı
chat-down = Yararlı değil
chat-share = Kanalda paylaş
chat-fuller = Daha kapsamlı, yalnızca bana
chat-disclose = Yine de herkese göster
chat-person = Bir kişiye sor
chat-resolved = Çözüldü olarak işaretle
chat-stopped-by = Durduran: { $name }
chat-shared-by = Paylaşan: { $name }
chat-resolved-by = Çözen: { $name }

chat-reason-title = Geri bildiriminiz
chat-reason-label = Eksik olan neydi?
chat-send = Gönder
chat-thanks = Geri bildiriminiz için teşekkür ederiz.
chat-shared = Yanıt kanalda paylaşılacak.
chat-only-you = Bu yanıtı yalnızca siz görebilirsiniz.
chat-not-yours = Bunu yalnızca soruyu soran kişi ya da sorumlular yapabilir.
chat-expired = Bu düğme artık çalışmıyor. Lütfen soruyu yeniden sorun.
chat-usage = Lütfen sorunuzu aynı satırda şu komutun ardına yazın: { $command }

chat-late = Sorunuz zamanında yanıtlanamadığı için üzgünüz. Hâlâ önemliyse lütfen yeniden sorun.
chat-gave-up = Birkaç denemeden sonra da soru yanıtlanamadı. Lütfen daha sonra yeniden sorun; başvuru numarası: { $trace }
chat-needs-model = Bir dil modeli ayarlanmadığı için burada özet, çeviri ve taslak hazırlanamıyor.

chat-asks-person = Yukarıdaki soru için yardımcı olabilir misiniz? Yardım isteyen: { $name }
chat-tried = Şimdiye kadar { $count } kaynakta arama yapıldı ve yukarıdaki yanıt verildi.
chat-handed-over = Soru sorumlu kişilere iletildi; bu ileti dizisinde yanıt verecekler.
chat-no-owner = Burada soruları devralacak kimse belirlenmemiş. Lütfen konuyu bilen bir çalışma arkadaşınıza danışın.

chat-from-files = Bu yanıt, bu konuşmadaki dosyalara dayanıyor.
chat-from-conversation = Bu yanıt belgelerden değil, konuşmadan yola çıkılarak yazıldı.
chat-image-declined = Burada görseller okunamıyor. Lütfen şu görselde ne olduğunu sözcüklerle anlatın: { $name }
chat-file-unreadable = Bu dosya okunamadı. Lütfen dosyanın parolasız açıldığını denetleyin: { $name }
chat-file-too-large = Bu dosya okunamayacak kadar büyük. Lütfen yalnızca gerekli bölümü gönderin: { $name }

access-offer = Sizin için daha kapsamlı bir yanıt yazılabilir; onu yalnızca siz görürsünüz.
access-disclose = Bu yanıt, buradaki herkesin açamayacağı belgelere dayanıyor. Yine de herkese gösterilsin mi?
access-may-not = Bu yanıtın dayandığı her şeyi okuma izniniz olmadığı için bunu yapamazsınız.
answer-withdrawn = Dayandığı bir kaynak artık burada okunamayacağı için bu yanıt geri çekildi. Lütfen yeniden sorun.

quota-spent = Şimdilik izin verilen sayıda soru sordunuz. Lütfen { $minutes } dakika sonra yeniden sorun.
quota-workspace-spent = Burada şimdilik izin verilen sayıda soru soruldu. Lütfen { $minutes } dakika sonra yeniden sorun.
quota-tokens-spent = Yanıtlarınız şimdilik izin verilen işlem gücünü kullandı. Lütfen { $minutes } dakika sonra yeniden sorun.

chat-prompts-title = Ne öğrenmek istersiniz?
chat-prompt-1-title = Yıllık izin
chat-prompt-1 = Kaç gün yıllık iznim var ve nasıl izin isteyebilirim?
chat-prompt-2-title = Bilgi işlem desteği
chat-prompt-2 = Bilgisayarımda artık oturum açamıyorum. Ne yapmalıyım?
chat-prompt-3-title = Seyahat giderleri
chat-prompt-3 = Seyahat giderlerimi nasıl ve ne zamana kadar bildirmeliyim?
