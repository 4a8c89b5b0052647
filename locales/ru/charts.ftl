# Графики на вкладке статистики. Это говорит только сервер: браузерам это не передаётся.
chart-lines = В очереди, не больше
chart-running = выполняются
chart-waiting = ждут
chart-wait = Ожидание до начала, в среднем
chart-hours = Ожидание по часам суток за 7 дней
chart-rate = Завершено в минуту
chart-sessions = Сеансы в памяти
chart-memory = Память
chart-gap = нет записи
chart-empty = Записей пока нет
chart-now = сейчас
chart-ago = { $span ->
    [quarter] { $number } мин назад
    [day] { $number } ч назад
   *[week] { $number ->
        [one] { $number } день назад
        [few] { $number } дня назад
       *[many] { $number } дней назад
    }
}
