# What surrounds every page.
skip = Skip to the content
conversations = Conversations
home = Anteroom: new chat
tabs = Tabs
page-chat = Chat
page-stats = Stats
page-logs = Logs
page-data = Your data
page-missing = Not found
theme = Theme: { $theme ->
    [light] light
    [dark] dark
   *[system] system
}
notice-lost = Not connected since { $time }. Trying again…
notice-updated = Anteroom has been updated.
notice-reload = Reload
notice-dismiss = Dismiss
notice-deleted = Deleted “{ $title }”
notice-undo = Undo
broken = This page could not be made
try-again = Try again
missing = There is no page here
missing-why = The address may be mistyped, or what it led to is gone.
missing-way = To the chat
summary = The line: { $line }. See the stats.
summary-alone = The line: { $line }.
summary-lost = not connected
language = Language
