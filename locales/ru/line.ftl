# Места, время и очередь. {$time} уже записано: 20–35 с.
-ordinal = { $number }-й
time = { $count } { $unit ->
    [ms] мс
    [s] с
    [min] мин
    [h] ч
   *[d] д
}
estimate = { $how ->
    [unknown] время пока неизвестно
    [soon] вот-вот
    [up-to] не больше { $time }
   *[about] примерно { $time }
}
ago-now = сейчас

line-rank = Ваше место в очереди: { $number } из { $of }
line-slot-free = место свободно
line-slot-busy = место занято
line-slots-busy = занято { $running ->
    [one] { $running } место
    [few] { $running } места
   *[many] { $running } мест
} из { $limit }
line-running = { $running ->
    [one] выполняется { $running }
   *[many] выполняются { $running }
}, предела нет
line-waiting = { $count ->
    [0] никто не ждёт
    [one] { $count } ждёт
    [few] { $count } ждут
   *[many] { $count } ждут
}
line-start = { $how ->
    [at-once] начнётся сразу
    [busy] попробуйте чуть позже
    [out] не работает
    [unknown] начало пока неизвестно
    [soon] начнётся вот-вот
    [up-to] начнётся не позже чем через { $time }
   *[about] начнётся примерно через { $time }
}

# Для того, кто собирается писать.
prospect = { $how ->
    [at-once] Ответ начнётся сразу
    [busy] Все места заняты. Попробуйте чуть позже.
    [out] Модель сейчас недоступна: сообщение её подождёт
    [unknown] Когда начнётся ответ, пока неизвестно
    [soon] Ответ начнётся вот-вот
    [up-to] Ответ начнётся не позже чем через { $time }
   *[about] Ответ начнётся примерно через { $time }
}
prospect-waiting = Вы были бы { $number }-м в очереди · { line-start }
line-more = … ещё { $count }
line-place = { -ordinal }
line-rank-short = { $number } из { $of } в очереди

# Очередь рядом с другими, пока из них выбирают.
line-short = { $how ->
    [at-once] свободно
    [out] недоступна
   *[busy] все места заняты
}
