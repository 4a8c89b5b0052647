# Что говорит встроенная демо-модель, когда в этом есть числа или имена. Длинные её тексты: src/agents/demo/texts. Браузерам не посылается.

# Очередь. {$time} уже записано: 20–35 с.
-demo-slots = { $limited ->
    [no] занято { $running }, предела нет
   *[yes] занято { $running } из { $limit }
}
-demo-slots-short = занято { $running ->
    [one] { $running } место
    [few] { $running } места
   *[many] { $running } мест
}{ $limited ->
    [no] , предела нет
   *[yes] { " " }из { $limit }
}
-demo-waiting = { $waiting ->
    [0] никого
   *[many] { $waiting }
}
-demo-waiting-short = { $waiting ->
    [0] никто не ждёт
    [one] { $waiting } ждёт
   *[many] { $waiting } ждут
}
-demo-unknown = пока неизвестно (закончилось слишком мало ответов)
-demo-start = { $how ->
    [at-once] начнётся сразу
    [unknown] когда начнётся, { -demo-unknown }
   *[about] начнётся примерно через { $time }
}
-demo-start-short = { $how ->
    [unknown] когда начнётся ответ на новое сообщение, { -demo-unknown }
   *[other] ответ на новое сообщение { -demo-start }
}
demo-line-now =
    Вот очередь, какой я вижу её, пока отвечаю вам:

    | очередь | сейчас |
    | --- | --- |
    | места | { -demo-slots } |
    | в очереди | { -demo-waiting } |
    | ответ на новое сообщение | { -demo-start } |
demo-line-mine = Одно из занятых мест — этот ответ: оно освободится, как только я замолчу.
demo-line-others = Те, кто ждёт, видят на своей странице своё место в очереди и оценку времени; то и другое обновляется само.
demo-line-short = Сейчас { -demo-slots-short }, { -demo-waiting-short }; { -demo-start-short }.

# Настройки.
demo-settings = Здесь действуют такие настройки:
demo-settings-table =
    ### { $title }

    | переменная | значение |
    | --- | --- |
demo-settings-row = | `{ $name }` | { $value } |
demo-settings-more = Есть и другие ({ $rest }): попросите показать *все настройки*.
demo-settings-ask = Назовите переменную, и я расскажу о ней: *что делает `CHAT_CONCURRENCY_LIMIT`?*
demo-settings-group = { $group ->
    [0] Модель
    [1] Очередь
    [2] Сеансы и файлы
    [3] Сервер
    [4] Программы
   *[5] Задания программ
}
# {$meaning} и {$allowed} — из документации, которая есть только на английском.
demo-setting =
    ### `{ $name }`

    Сейчас: { $value }

    Вот что говорит документация для того, кто ведёт сайт (она на английском):

    > { $meaning }
    >
    > Allowed: { $allowed }
demo-setting-from = { $source ->
    [default] { $value } (по умолчанию)
    [environment] { $value } (из окружения)
   *[file] { $value } (из `.env`)
}
demo-setting-unknown = мне неизвестно
demo-setting-change = Тот, кто ведёт этот сайт, может изменить это в `.env`.
demo-value = { $what ->
    [unset] не задано
    [hidden] скрыто
    [set] задано
   *[unknown] неизвестно
}

# Настоящие модели.
demo-real-server =
    Вот как **{ $server }** займёт моё место. Тот, кто ведёт этот сайт, вписывает строку `MODEL` и те, что рядом с ней, в `.env` и перезапускает Anteroom.

    { $how }

    Очередь и ваши беседы останутся как есть.
demo-real-model =
    Я всего лишь демо-модель, и заменить меня легко. Тот, кто ведёт этот сайт, задаёт в `.env` переменную `MODEL` в виде `имя@провайдер`; провайдер — один из этих: { $providers }. Например, с Ollama на той же машине:

    ```ini
    MODEL=llama3.2@ollama
    ```

    или с OpenAI:

    ```ini
    MODEL=gpt-4o@openai
    OPENAI_API_KEY=your-key
    ```

    Адрес другого сервера с API OpenAI задаёт `OPENAI_BASE_URL`. Спросите меня об одном из следующих, и я приведу нужные строки: { $servers }.

# Код.
demo-code-one =
    Небольшой пример на { $language }:

    { $sample }
demo-code-two =
    Два небольших примера, каждый с кнопкой, чтобы его скопировать.

    { $first }

    И на { $language }:

    { $second }

    Ещё у меня есть примеры на { $rest }.

# Что приложено к сообщению.
demo-attached = Вижу, что вы приложили:
demo-attached-file = - { $name }: { $words ->
    [one] { $words } слово
    [few] { $words } слова
   *[many] { $words } слов
} в { $lines ->
    [one] { $lines } строке
   *[many] { $lines } строках
}
demo-attached-picture = - { $name }: изображение ({ $kind }, { $size })
demo-attached-no-more = Я демо-модель: сосчитать могу, а понять прочитанное или рассмотреть изображение — нет.
demo-attached-alone = Что вы хотите с этим сделать? (Настоящая модель уже сообразила бы.)

demo-count = С удовольствием. Остановите меня, когда захотите.

# Инструменты. {$names} уже записаны как код.
demo-tool-use = { $tools ->
    [one] Вызываю инструмент { $names }.
   *[many] Вызываю инструменты: { $names }.
} Я демо-модель и смотрю только на слова, так что проверьте, те ли это аргументы.
demo-tool-result = { $what ->
    [failed] Инструмент { $name } не справился:
    [nothing] Инструмент { $name } ничего не вернул.
   *[something] Вот что вернул инструмент { $name }:
}
demo-tool-pictures = { $pictures ->
    [one] Кроме того, он вернул { $pictures } изображение.
    [few] Кроме того, он вернул { $pictures } изображения.
   *[many] Кроме того, он вернул { $pictures } изображений.
}
demo-tool-no-more = Настоящая модель прочла бы это и ответила на ваш вопрос. Я же, демо-модель, могу только передать.
