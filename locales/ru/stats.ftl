# Вкладка статистики.
refresh-waiting = Ваше обновление { -ordinal } в очереди
refresh-every = Обновляется каждые { $seconds } с
settings = Действующие настройки
settings-changed = Последнее изменение: { $ago }, без перезапуска.
settings-unchanged = Такие же, как при запуске. Изменение .env действует сразу.
settings-bad-edit = Последняя правка ({ $ago }) не принята, и ничего не изменилось:
settings-variable = Переменная
settings-value = Значение
settings-from = Откуда
stats-asking = Запрашиваем данные…
tile-model = Модель
tile-sessions = Сеансы
tile-connected = На связи
tile-memory = Память
tile-uptime = Работает
tile-version = Версия
unknown = неизвестно
limits = Пределы
limits-limit = Предел
limits-of = { $running } из { $limit }
limits-no-limit = { $running } · без предела
limits-running = Выполняется
limits-waiting = Ждёт
limits-longest = Макс. ожидание
limits-wait = Ожидание p50 / p95
limits-service = Работа p50 / p95
limits-done = Готово
limits-failed = Сбой
limits-refused = Отказ
limits-cancelled = Отменено
limits-expired = Истекло
charts = Последние { $minutes } минут
chart-lines = Очереди
chart-done = Готово
chart-running = выполняются
chart-waiting = ждут
chart-ended = закончено ответов
chart-sessions = сеансы
chart-memory = память
chart-empty = Кривая появится через несколько секунд
chart-begin = { $minutes } мин назад
chart-now = сейчас
setting-instead = { $instead ->
    [set] (задано)
    [unset] (не задано)
   *[hidden] (скрыто)
}
setting-overridden = действует переменная окружения, а не строка { $line } в .env
setting-restart = нужен перезапуск
setting-restart-to = после перезапуска станет { $then }
setting-source = { $source ->
    [environment] окружение
    [file] .env
   *[default] по умолчанию
}
