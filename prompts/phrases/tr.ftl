language-name = Türkçe
answer-language = Türkçe yanıt verin.

status-searching = Belgelerde aranıyor…
status-writing = Yanıt yazılıyor…

not-found = Okuma izniniz olan belgelerde bu sorunun yanıtı yok. Lütfen soruyu başka sözcüklerle sormayı deneyin.
nothing-indexed = Henüz hiçbir belge dizine eklenmedi; eklendikten sonra yeniden sorabilirsiniz.
extractive-intro = Belgelerdeki en yakın bölümler şunlar:
uncited = Bu yanıt belgelerden hiçbir bölüme dayanmıyor. Lütfen güvenmeden önce denetleyin.
sources = Kaynaklar
page = sayfa { NUMBER($page, useGrouping: 0) }
updated = güncelleme: { DATETIME($date, dateStyle: "long") }

model-unavailable = Yazma hizmetine şu anda ulaşılamıyor (başvuru numarası: { $trace }).
interrupted = Yanıt tamamlanmadan kesildi. Lütfen yeniden sorun; başvuru numarası: { $trace }
try-again = Yanıt şu anda verilemiyor. Lütfen birazdan yeniden deneyin; başvuru numarası: { $trace }
error = Bizim tarafımızda bir sorun oluştu. Yinelenirse lütfen şu başvuru numarasını bildirin: { $trace }
empty-question = Lütfen bir soru yazın.
question-too-long = Soru çok uzun. En fazla { $limit } karakter olabilir.

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
web-other-site = Bu istek başka bir siteden geldiği için reddedildi. Lütfen sayfanın kendisini açın.
web-busy = Şu anda çok fazla soru var. Lütfen birazdan yeniden deneyin.
web-too-large = İstek çok büyük; en fazla { $limit } kB olabilir.
web-unknown-model = Burada böyle bir model yok. Lütfen şunu kullanın: { $model }
web-no-document = Böyle bir belge yok ya da okuma izniniz bulunmuyor.
web-not-found = Böyle bir sayfa yok.
