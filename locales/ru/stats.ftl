# Что сервер рисует на вкладке статистики. Это говорит только сервер: браузерам это не передаётся.
settings = Действующие настройки
settings-changed = Последнее изменение: { $ago }, без перезапуска.
settings-unchanged = Такие же, как при запуске. Изменение .env действует сразу.
settings-bad-edit = Последняя правка ({ $ago }) не принята, и ничего не изменилось:
settings-differ = Не действует: { $names }.
settings-variable = Переменная
settings-value = Значение
settings-from = Откуда
tile-model = Модель
tile-sessions = Сеансы
tile-connected = На связи
tile-memory = Память
tile-ratings = Хорошие : плохие ответы
tile-uptime = Работает
tile-version = Версия
unknown = неизвестно
limits = Пределы
limits-limit = Предел
limits-of = { $running } из { $limit }
limits-no-limit = { $running } · без предела
limits-running = Выполняется
limits-waiting = Ждёт
limits-parked = { $waiting } · отложено { $parked }
limits-longest = Макс. ожидание
limits-wait = Ожидание p50 / p95
limits-service = Работа p50 / p95
limits-done = Готово
limits-failed = Сбой
limits-refused = Отказ
limits-cancelled = Отменено
limits-expired = Истекло
backends = Серверы моделей
backends-name = Сервер
backends-state = Состояние
backends-first = Первый токен p50 / p95
backends-speed = Токенов в секунду p50 / p95
backends-answers = Ответы
backends-retries = Повторы
backends-faults = Сбои
backends-auto = { $running } · авто
backends-is = { $state ->
    [ready] работает
    [cooling] отдыхает ещё { $time }
    [out] не используется ещё { $time }
    [trying] проверяется
   *[draining] завершает последнее
}
backends-found = { $outage ->
    [away] не используется: нет связи
    [failing] не используется: даёт сбои
    [rate_limited] отдыхает: слишком много запросов
   *[overloaded] отдыхает: перегружен
}
backends-fault = { $kind ->
    [unreachable] нет связи
    [out_of_service] отключён
    [hung_up] разрыв связи
    [rate_limited] слишком много запросов
    [unauthorized] ключ не принят
    [unknown_model] нет такой модели
    [redirected] перенаправление
    [rejected] вопрос не принят
    [too_long] слишком длинно
    [overloaded] перегрузка
    [server_fault] ошибка сервера
    [stalled] замолчал
    [cut_off] ответ оборван
    [invalid_response] ответ не понят
    [empty] пустой ответ
    [spent] всё ушло на размышления
    [filtered] ответ не пропущен
    [vision_unsupported] не видит картинок
   *[other] { $kind }
}: { $count }
backends-mend = { $fault ->
    [unauthorized] Ключ не принят: исправьте его.
    [unknown_model] Запрашивают модель, которой у него нет: исправьте список моделей.
   *[redirected] Запросы перенаправляются: укажите окончательный адрес.
}
models = Модели
models-input = Токены на входе
models-output = Токены на выходе
models-cost = Стоимость
nodes = Узлы
nodes-node = Узел
nodes-this = этот
nodes-log = Журнал
nodes-is = { $state ->
    [takes_part] участвует
    [leaving] завершается
    [silent] молчит { $time }
    [cut_off] нет связи с базой
   *[behind] отстаёт
}
nodes-note = «Выполняется» и «Ждёт» — всех узлов.
tool-servers = Инструменты
tool-servers-server = Сервер инструментов
tool-servers-is = { $state ->
    [idle] не используется
    [connecting] подключается
    [connected] подключён
   *[out] не работает { $time }
}
tool-servers-trouble = { $trouble ->
    [cannot_start] его программа не запускается
    [ended] завершился сам
    [too_slow] не успел запуститься
    [no_answer] по его адресу никто не отвечает
    [unauthorized] ключа нет, или он не подошёл
    [redirected] ведёт на другой адрес
    [refused] отвечает ошибкой
    [closing] Anteroom завершает работу
   *[protocol] не соблюдает протокол
}
charts = Во времени
charts-spans = Промежуток времени
charts-span = { $span ->
    [quarter] 15 мин
    [day] 24 ч
   *[week] 7 дней
}
tasks = Задачи
tasks-all = На этом сервере
tasks-blocked = Ждут других
tasks-held = За очередью
tasks-told = Вебхуки доставлены
tasks-outbox = Ещё не доставлены
tasks-given-up = Не удалось доставить
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
ago-just-now = только что
ago-some-time = { $age } назад
