# Ресурсы и заготовки серверов инструментов. Это говорит только сервер: браузерам эти слова не отправляются.
sources-head = Приложить
sources-device = Файлы с этого устройства…
sources-of-servers = С серверов инструментов
sources-no-resources = У сервера { $server } нечего приложить.
sources-no-prompts = У сервера { $server } нет заготовок.
sources-attach = Приложить
sources-use = Вставить в сообщение
sources-waits = Запрос к серверу { $server }…
sources-optional = { $name } (необязательно)
sources-left-out = [Пропущено всё, что не является текстом]
sources-cut = [Обрезано: текст длиннее, чем может быть сообщение]
sources-failed = { $why ->
    [not_there] У сервера { $server } этого нет или больше нет.
    [unreachable] Сервер { $server } недоступен: { $more }.
    [died] Сервер { $server } завершил работу, не успев ответить.
    [timed_out] Сервер { $server } не ответил вовремя.
    [too_large] То, что отдаёт сервер { $server }, слишком велико.
    [bad_arguments] Сервер { $server } этого не принимает: { $more }
    [refused] Сервер { $server } отказал: { $more }
    [wants_input] Сервер { $server } хочет сначала задать вопрос, а здесь так не делается.
   *[protocol] Сервер { $server } ответил непонятно.
}
