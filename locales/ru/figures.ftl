# Размеры и отрезки времени. {$number} уже записано.
size = { $number } { $unit ->
    [b] Б
    [kb] КБ
    [mb] МБ
    [gb] ГБ
   *[tb] ТБ
}

# Предел времени внутри предложения, в родительном падеже: «в течение 2 минут», «дольше 1 минуты».
span-seconds = { $seconds ->
    [one] { $seconds } секунды
   *[other] { $seconds } секунд
}
span-minutes = { $minutes ->
    [one] { $minutes } минуты
   *[other] { $minutes } минут
}
span-both = { span-minutes } { span-seconds }
percent = { $number } %
