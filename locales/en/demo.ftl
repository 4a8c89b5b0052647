# What the built-in demo model says that has figures or names in it. Its longer texts: src/agents/demo/texts. No browser is sent this file.

# The line. {$time} is written already: 20–35 s.
-demo-slots = { $limited ->
    [no] { $running } busy, without a limit
   *[yes] { $running } of { $limit } busy
}
-demo-slots-short = { $limited ->
    [no] { $running } busy slots
   *[yes] { $running } of { $limit } slots busy
}
-demo-waiting = { $waiting ->
    [0] nobody
   *[other] { $waiting }
}
-demo-start = { $how ->
    [at-once] at once
    [unknown] at a time that I cannot tell yet (too few answers have ended)
   *[about] in about { $time }
}
demo-line-now =
    Here is the line as I see it while I answer you:

    | the line | now |
    | --- | --- |
    | slots | { -demo-slots } |
    | waiting | { -demo-waiting } |
    | a message sent now would start | { -demo-start } |
demo-line-mine = One of the busy slots is this answer: it is free again as soon as I stop talking.
demo-line-others = Those who wait see their own place and estimate on their page, and both move by themselves.
demo-line-short = Right now: { -demo-slots-short }, { -demo-waiting } waiting; a message sent now would start { -demo-start }.

# Settings.
demo-settings = These settings are in force here:
demo-settings-table =
    ### { $title }

    | variable | in force | what it does |
    | --- | --- | --- |
demo-settings-row = | `{ $name }` | { $value } | { $meaning } |
demo-settings-more = There are more, for { $rest }: ask for *all settings*.
demo-settings-ask = Name a variable, and I say more about it: *what does `CHAT_CONCURRENCY_LIMIT` do?*
demo-settings-group = { $group ->
    [0] The model
    [1] The line
    [2] Sessions and files
    [3] The server
    [4] Programs
   *[5] Tasks of programs
}
demo-setting =
    ### `{ $name }`

    { $meaning }

    - in force: { $value }
    - allowed: { $allowed }
demo-setting-from = { $source ->
    [default] { $value } (from its default)
    [environment] { $value } (from the environment)
   *[file] { $value } (from `.env`)
}
demo-setting-unknown = unknown to me
demo-setting-change = Whoever runs this site can change it in `.env`.
demo-value = { $what ->
    [unset] unset
    [hidden] hidden
    [set] `(set)`
   *[unknown] unknown
}

# Real models.
demo-real-server =
    This is how **{ $server }** takes my place. Whoever runs this site puts the `MODEL` line and those with it into `.env` and restarts Anteroom.

    { $how }

    The line and your conversations stay as they are.
demo-real-model =
    I am only the demo model, and easy to replace. Whoever runs this site sets `MODEL` in `.env` to `name@provider`, the provider being one of { $providers }. For example, with Ollama on the same machine:

    ```ini
    MODEL=llama3.2@ollama
    ```

    or with OpenAI:

    ```ini
    MODEL=gpt-4o@openai
    OPENAI_API_KEY=your-key
    ```

    A server that speaks OpenAI's API goes by `OPENAI_BASE_URL`. Ask me about one of these, and I give you its lines: { $servers }.

# Code.
demo-code-one =
    Something small in { $language }:

    { $sample }
demo-code-two =
    Two small examples, each with a button to copy it.

    { $first }

    And in { $language }:

    { $second }

    I also have one in each of: { $rest }.

# What came with a message.
demo-attached = I see what you attached:
demo-attached-file = - { $name }: { $words ->
    [one] { $words } word
   *[other] { $words } words
} in { $lines ->
    [one] { $lines } line
   *[other] { $lines } lines
}
demo-attached-picture = - { $name }: a picture ({ $kind }, { $size })
demo-attached-no-more = As a demo I can count, but I cannot read further than that or look at pictures.
demo-attached-alone = What would you like to do with it? (A real model would know by now.)

demo-count = Gladly. Stop me whenever you like.

# Tools. {$names} are written as code already.
demo-tool-use = { $tools ->
    [one] I call this tool: { $names }.
   *[other] I call these tools: { $names }.
} As a demo I only go by words, so look whether the arguments are what you meant.
demo-tool-result = { $what ->
    [failed] The tool { $name } did not succeed:
    [nothing] The tool { $name } returned nothing.
   *[something] The tool { $name } returned this:
}
demo-tool-pictures = { $pictures ->
    [one] It returned { $pictures } picture, too.
   *[other] It returned { $pictures } pictures, too.
}
demo-tool-no-more = A real model would read that, and answer you with it. As a demo I can only pass it on.
