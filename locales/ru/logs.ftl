# Вкладка журнала.
logs-dropped = { $count ->
    [one] { $count } более старая запись уступила место
    [few] { $count } более старые записи уступили место
   *[many] { $count } более старых записей уступили место
}
logs-none = Подходящих записей нет.
logs-asking = Запрашиваем записи…
logs-hidden = Тот, кто ведёт этот сервер, видит их здесь по ссылке оператора.
logs-level = Уровень не ниже
logs-text = Текст
logs-any = Любая часть записи
logs-follow = Следить
logs-session = Сеанс этого браузера
logs-session-records = Записи этого сеанса
logs-start = Запуск сервера
logs-start-records = Записи о запуске сервера
