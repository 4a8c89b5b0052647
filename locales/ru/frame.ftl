# Что окружает каждую страницу.
skip = К содержанию
conversations = Беседы
home = Anteroom: новая беседа
tabs = Вкладки
page-chat = Чат
page-stats = Статистика
page-logs = Журнал
page-data = Ваши данные
page-missing = Не найдено
theme = Тема: { $theme ->
    [light] светлая
    [dark] тёмная
   *[system] системная
}
notice-lost = Нет соединения с { $time }. Пробуем снова…
notice-updated = Anteroom обновился.
notice-reload = Обновить страницу
notice-dismiss = Скрыть
notice-deleted = Удалено: «{ $title }»
notice-undo = Вернуть
broken = Страницу не удалось показать
try-again = Попробовать снова
missing = Здесь нет страницы
missing-why = Возможно, в адресе опечатка, или того, куда он вёл, уже нет.
missing-way = К беседе
summary = Очередь: { $line }. К статистике.
summary-alone = Очередь: { $line }.
summary-lost = нет соединения
language = Язык
