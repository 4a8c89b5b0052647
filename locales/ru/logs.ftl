# Что сервер рисует на вкладке журнала. Это говорит только сервер: браузерам это не передаётся.
logs-dropped = { $count ->
    [one] { $count } более старая запись уступила место
    [few] { $count } более старые записи уступили место
   *[many] { $count } более старых записей уступили место
}
logs-none = Подходящих записей нет.
logs-hidden = Тот, кто ведёт этот сервер, видит их здесь по ссылке оператора.
logs-level = Уровень не ниже
logs-text = Текст
logs-any = Любая часть записи
logs-follow = Следить
logs-session = Сеанс этого браузера
logs-session-records = Записи этого сеанса
logs-start = Запуск сервера
logs-start-records = Записи о запуске сервера
logs-told = Что стало с вашими сообщениями
logs-told-none = С запуска сервера на сообщения этого браузера не было ответов.
logs-raw = Сами записи
told = { $what ->
    [answered] Сообщение ждало { $waited }, ответ занял { $took }: { $characters ->
        [one] { $characters } знак
        [few] { $characters } знака
       *[many] { $characters } знаков
    }.
    [kept] На сообщение дан сохранённый ответ: { $characters ->
        [one] { $characters } знак
        [few] { $characters } знака
       *[many] { $characters } знаков
    }.
    [incomplete] Сообщение ждало { $waited }. Ответ прервался через { $took }: { $characters ->
        [one] { $characters } знак
        [few] { $characters } знака
       *[many] { $characters } знаков
    }.
    [stopped] Сообщение ждало { $waited }. Вы остановили ответ через { $took }: { $characters ->
        [one] { $characters } знак
        [few] { $characters } знака
       *[many] { $characters } знаков
    }.
    [left] Вы вышли из очереди через { $waited }.
    [in_vain] Сообщение ждало { $waited }, но очередь до него не дошла.
   *[failed] Сообщение ждало { $waited }. Ответ не удался через { $took }.
}
