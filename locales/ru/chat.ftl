# Страница беседы: поле ввода, ответы, ожидание.
spoken-place = { $rank }. { $time }.
spoken-running = Ваш ответ пишется
spoken-done = Ответ готов
spoken-left = Вы вышли из очереди
title = { $page } · Anteroom
title-lost = Нет соединения
title-waiting = { -ordinal } в очереди
title-running = Ответ пишется…
title-over = Ответ готов
answer-begins = Ответ начинается
composer-held = Сначала нужно отправить сообщение выше.
behind = Следующие сообщения
behind-next = Уйдёт следующим
behind-later = Уйдёт после него
behind-waits = Ждёт вас
behind-withdraw = Забрать
behind-release = Отправить
composer-behind = Новое сообщение уйдёт после ответа.
send-without = Отправить без него
paste-long = Это длинный текст.
paste-attach = Приложить файлом
paste-is-file = Вставленный текст теперь файл.
paste-undo = Вернуть
paste-name = вставленный текст.txt
composer-file-again = Файл не приложился: попробуйте снова или уберите его, затем отправьте.
composer-file-failed = Файл не приложился: уберите его, затем отправьте.
composer-files-pending = Отправить можно, когда файлы загрузятся.
composer-length = { $bytes } из { $most }
composer-too-long = Слишком длинно: { $bytes } из { $most }.
composer-lost = Нет соединения: отправленное уйдёт, как только оно появится.
composer-label = Ваше сообщение
composer-placeholder = Напишите сообщение
composer-send = Отправить
composer-send-enter = Отправить (Enter)
stop = Остановить
cancel = Отменить
prompts = Заготовки
attach = Приложить файлы
file-too-large = слишком велик: { $bytes }, а можно не больше { $most }
file-just-too-large = слишком велик: чуть больше допустимых { $most }
edit = Изменить
you = Вы
versions = Варианты
version-earlier = Предыдущий вариант
version-later = Следующий вариант
editor = Ваше сообщение другими словами
turn-stopped = Остановлено
turn-left = Вы вышли из очереди до начала ответа
turn-sending = Отправляем…
answer = Ответ
unsent-lost = Оно хранится в этом браузере и уйдёт само, как только появится соединение.
unsent-again = Оно хранится в этом браузере и будет отправлено само.
unsent = Не отправлено.
unsent-send-again = Отправить снова
unsent-send-now = Отправить сейчас
unsent-discard = Убрать
retry = Повторить
turn-took = ответ за { $time }
turn-waited = ожидание { $time }
copy = Копировать
copied = Скопировано
regenerate = Ответить заново
rate-good = Хороший ответ
rate-bad = Плохой ответ
branch = Ответвить
branch-what = Ответвить: начать новую беседу со всем, что есть до этого места
continue = Продолжить
continue-message = Продолжи с того места, где остановился.
turn-sent = Отправлено
turn-begun = Ответ начат
turn-ended = Ответ окончен
turn-speed = Скорость
turn-per-second = { $tokens } ток./с
turn-tokens-both = { $input } + { $output } токенов
turn-tokens = { $output ->
    [one] { $output } токен
    [few] { $output } токена
   *[many] { $output } токенов
}
waiting = Ваше место в очереди
waiting-lost = В очереди
waiting-joining = Встаём в очередь
waiting-unknown = место станет видно, когда появится соединение
waiting-late = дольше обычного · { $time }
waiting-unmeasured = оценки пока нет: ещё не было ни одного ответа
waiting-little-measured = оценки пока нет: ответов ещё слишком мало
why-fair = Здесь отвечают по очереди, каждому по одному сообщению за круг: кто отправил сразу несколько, ждёт с остальными до следующих кругов.
why-fifo = Кто раньше пришёл, тому раньше и отвечают: все перед вами ждут дольше.
receipt-waited = Ожидание: { $time }
receipt-passed = { $count ->
    [0] никто вас не обошёл
    [one] { $count } пришедший позже прошёл раньше: была его очередь
    [few] { $count } пришедших позже прошли раньше: была их очередь
   *[many] { $count } пришедших позже прошли раньше: была их очередь
}
receipt-burst = { $earlier ->
    [0] { $found } сообщений одного человека не стоили вам ни одного места
    [one] { $found } сообщений одного человека стоили вам { $earlier } места
   *[many] { $found } сообщений одного человека стоили вам { $earlier } мест
}
receipt-found = { $found ->
    [one] впереди было { $found } сообщение
    [few] впереди было { $found } сообщения, раньше вашего начато: { $earlier }
   *[many] впереди было { $found } сообщений, раньше вашего начато: { $earlier }
}
receipt-way = С { $place } места до двери: { $time }
call-note = Уведомить меня
call-knock = Постучать, когда подойдёт очередь
call-refused = Браузер не разрешает странице присылать уведомления: так задано в его настройках для этого сайта.
call-begun = Ваша очередь: ответ пишется.
call-answered = Ваш ответ готов.
call-failed = На ваше сообщение не удалось ответить.
welcome = Входите.
welcome-lost = Сейчас нет соединения.
welcome-free = Входите, есть свободное место.
welcome-taken = Сейчас все места заняты.
welcome-line = Все места заняты. Отправьте сообщение и займите место в очереди.
welcome-kept = Отправленное сохранится и уйдёт, как только появится соединение.
starter-line = Как устроена очередь?
starter-settings = Какие настройки действуют?
starter-markdown = Покажи разметку Markdown
to-end = К последнему
earlier = Показать более ранние
conversation = Беседа
conversation-region = Беседа
file-next = следующий
file-checked = проверяется
file-remove = Убрать { $name }
file-again = Попробовать снова: { $name }
file-not-understood = ответ сервера не понят
file-not-through = не дошёл
file-refused = отклонён ({ $status })
file-is-empty = пуст
file-unsendable = не удалось отправить
paper = Прочитано: { $facts }
paper-pages = { $parts ->
    [one] { $parts } страница
    [few] { $parts } страницы
   *[many] { $parts } страниц
}
paper-sheets = { $parts ->
    [one] { $parts } лист
    [few] { $parts } листа
   *[many] { $parts } листов
}
paper-chapters = { $parts ->
    [one] { $parts } глава
    [few] { $parts } главы
   *[many] { $parts } глав
}
paper-characters = { $characters ->
    [one] { $characters } знак
    [few] { $characters } знака
   *[many] { $characters } знаков
}
paper-left-out = ещё { $parts } не прочитано
paper-blank = без текста: { $parts }
paper-pictures = { $pictures ->
    [one] { $pictures } изображение
    [few] { $pictures } изображения
   *[many] { $pictures } изображений
}
paper-pictures-left-out = изображений не взято: { $pictures }
paper-cut = прочитано не всё
chat-opening = Открываем беседу…
chat-failed = Беседу не удалось открыть
chat-outdated = Это может быть не последнее.
chat-absent = Такой беседы нет
chat-absent-why = Возможно, она удалена или начата в другом браузере: беседы видны только там, где начаты.
chat-absent-way = Начать новую
code = Код
code-wrap = Переносить
code-save = Сохранить
code-all = Показать все строки
code-fewer = Показать меньше строк
formula = Формула
footnote = Сноска
footnote-back = Назад к знаку сноски
table = Таблица
task = Готово
image = изображение
goes-on = Ответ продолжается, но слишком длинен, чтобы показать его здесь. «Копировать» даст его целиком.
