# Страница ключей программ и путь к ней. Это говорит только сервер: браузерам это не передаётся.
program-keys = Ключи программ
program-keys-valid = { $count ->
    [0] Действующих ключей нет.
    [one] Действует { $count } ключ.
    [few] Действуют { $count } ключа.
   *[many] Действует { $count } ключей.
}
program-keys-lead = Посмотреть, создать, ограничить или отозвать ключи
program-keys-what = Программа обращается с ключом; в очереди каждый ключ — отдельный участник. О новом или отозванном ключе и о новых пределах все узлы узнают в течение секунды.
program-keys-rates = Каждому ключу без собственных пределов в минуту: запросов — { $requests }; токенов, прочитанных и написанных, — { $tokens }. Это задают KEY_REQUESTS_PER_MINUTE и KEY_TOKENS_PER_MINUTE.
program-keys-no-limit = без предела
program-keys-back = Назад
program-keys-there = Ключи
program-keys-none = Ключей нет. Пока не было ни одного, программы на самом сервере допускаются без ключа.
program-keys-revoked = Отозванные: { $count }
program-keys-all = Все ключи
program-key-new = Новый ключ
program-key-name = Название, для людей
program-key-lives = Срок действия
program-key-for-ever = пока не отозван
program-key-may = Что он разрешает программе
program-key-scope = { $scope ->
    [chat] — спрашивать модели
    [tasks] — оставлять задания и следить за ними
    [read] — читать своё: беседы, файлы, модели
   *[metrics] — читать показатели сайта, если для них нужен ключ
}
program-key-make = Создать ключ
program-key-no-name = Ключу нужно название длиной от 1 до 100 видимых символов, не похожее на идентификатор. Ключ не создан.
program-key-taken = Ключ с названием { $name } уже есть. Сначала отзовите его или выберите другое название. Ключ не создан.
program-key-no-scope = Выберите хотя бы одно, что ключ разрешает программе. Ключ не создан.
program-key-no-scopes = ничего не разрешает
program-key-own-requests = Запросов в минуту
program-key-own-tokens = Токенов в минуту
program-key-as-site = как у сайта
program-key-no-rate = Предел — целое число: от 1 до 1 000 000 запросов, от 1 до 1 000 000 000 токенов. Оставьте поле пустым, чтобы действовала настройка сайта. Ключ не создан.
program-key-no-other-rate = Предел — целое число: от 1 до 1 000 000 запросов, от 1 до 1 000 000 000 токенов. Оставьте поле пустым, чтобы действовала настройка сайта. Ничего не изменено.
program-key-rates = Пределы
program-key-rates-which = Пределы ключа { $name }
program-key-rates-set = Задать пределы
program-key-own = Собственные пределы в минуту: запросов — { $requests }; токенов — { $tokens }
program-key-made = Создан { $time }
program-key-expires = Действует до { $time }
program-key-has-expired = Истёк { $time }
program-key-stays = Действует, пока не отозван
program-key-is-revoked = Отозван { $time }
program-key-used = Последнее обращение: { $ago }
program-key-unused = С запуска этого сервера здесь не использовался
program-key-requests = Осталось запросов: { $left } из { $limit }
program-key-tokens = Осталось токенов: { $left } из { $limit }
program-key-tools = Ключи для инструментов
program-key-tools-which = Ключи для инструментов: { $name }
program-key-revoke = Отозвать
program-key-revoke-which = Отозвать { $name }
program-key-really = По ключу { $name } программу больше не пустят, и всё, что она запросила, прекратится. Отменить это нельзя.
program-key-yes = Отозвать навсегда
program-key-shown = Новый ключ
program-key-once = Это ключ { $name }. Он показывается только сейчас и нигде не хранится: сразу передайте его программе.
program-key-itself = Ключ
program-key-select = Нажмите на ключ, и он выделится целиком.
program-key-copy = Скопировать ключ
program-key-copied = Скопировано.
program-key-not-copied = Скопировать не удалось, но ключ выделен.
program-key-sent = Программа передаёт его так:
