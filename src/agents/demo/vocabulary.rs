//! The words that messages are understood by, English and Russian together: a question in one language may hold words of the other.
//!
//! Russian inflects, so most of its entries are stems, written with a hyphen behind them: `настройк-` is `настройка`, `настройками` and so
//! on. Where a stem would catch other words as well, the forms are listed. All of them are in lower case, with `е` for `ё`.

/// Words and stems (`stem-`), with white space between.
pub(super) type Topic = &'static str;

/// A message, taken apart.
pub(super) struct Said<'a> {
    /// All of it, as [`plain`] makes it.
    text: &'a str,
    pub(super) words: Vec<&'a str>,
}

/// Lower case, and one letter for `е` and `ё`, which many do not tell apart.
pub(super) fn plain(message: &str) -> String {
    message.to_lowercase().replace('ё', "е")
}

impl<'a> Said<'a> {
    /// What `plain` returned.
    pub(super) fn new(text: &'a str) -> Self {
        let words = text
            .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '#' && c != '+')
            .filter(|word| !word.is_empty())
            .collect();
        Self { text, words }
    }

    /// Where one of the words ends in the text.
    pub(super) fn end_of(&self, word: &str) -> usize {
        // It lies within the text.
        let begins = word.as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        (begins + word.len()).min(self.text.len())
    }

    /// Whether one of the words was said.
    pub(super) fn has(&self, topic: Topic) -> bool {
        topic.split_whitespace().any(|entry| self.has_word(entry))
    }

    fn has_word(&self, entry: &str) -> bool {
        self.words.iter().any(|word| is(word, entry))
    }

    /// Whether one of the phrases was said: its words or stems one after the other.
    pub(super) fn has_phrase(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| {
            let entries: Vec<_> = phrase.split_whitespace().collect();
            let mut places = self.words.windows(entries.len());
            places.any(|words| words.iter().zip(&entries).all(|(word, entry)| is(word, entry)))
        })
    }

    /// Whether a name was said: a word, or a phrase that is no single word.
    pub(super) fn has_name(&self, name: &str) -> bool {
        let stem = name.strip_suffix('-').unwrap_or(name);
        if stem.contains(|c: char| !c.is_alphanumeric()) {
            self.text.contains(name)
        } else {
            self.has_word(name)
        }
    }
}

/// Whether a word is the one of an entry, or begins with its stem.
pub(super) fn is(word: &str, entry: &str) -> bool {
    match entry.strip_suffix('-') {
        Some(stem) => word.starts_with(stem),
        None => word == entry,
    }
}

pub(super) const SETTINGS: Topic = "\
    settings setting configuration config configure configured env variable variables \
    настройк- настроек настроит- настраив- настроен настроена настроено настроены \
    конфиг- параметр- переменн-";
pub(super) const ALL: Topic = "\
    all every list complete everything \
    все всех кажд- список списк- полн- перечисл- целиком";
pub(super) const SETTINGS_OF_LINE: Topic = "\
    line queue limit limits concurrency waiting \
    очеред- предел- лимит- ограничен- параллел- ожидани-";
pub(super) const SETTINGS_OF_MODEL: Topic = "model models demo модел- демо";
pub(super) const SETTINGS_OF_SESSIONS: Topic = "\
    session sessions file files upload uploads \
    сеанс- сесси- файл- загруз-";
pub(super) const SETTINGS_OF_SERVER: Topic = "\
    server log logs address port cookie cookies \
    сервер- журнал- лог логи логов адрес- порт порта порты куки";

pub(super) const MARKDOWN: Topic = "markdown formatting маркдаун- разметк- форматирован-";
pub(super) const MARKDOWN_PARTS: Topic = "\
    table list heading headings bold quote \
    таблиц- список списк- заголов- жирн- курсив- цитат-";

pub(super) const MODEL: Topic = "\
    model models llm api key gpu provider \
    модел- нейросет- апи ключ ключа ключи ключей ключом провайдер- видеокарт-";
/// A model that is spoken of with one of these is not what the question is about.
pub(super) const SLOTS: Topic = "slots limit мест слот- предел- лимит-";

pub(super) const FAIR: Topic = "\
    fair fairness fifo concurrency unfair \
    честная честной честную честность честности нечестн- справедлив- несправедлив- \
    параллельн- одновременн-";
/// The adverb alone is also `honestly`.
pub(super) const FAIR_PHRASES: &[&str] = &["это честно", "честно ли"];
pub(super) const LINE: Topic = "\
    line queue queued wait waiting waits position place slot slots busy ahead \
    очередь очереди очередью очередей очередям очередями очередях очередность очередности \
    жд- подожд- ожида- позици- место места месту местом месте мест слот- \
    занят занята занято заняты впереди передо ответят";
pub(super) const EXPLAIN: Topic = "\
    explain why work works mean means rule rules order \
    объясн- поясн- расскаж- почему зачем работа- устроен устроена устроено устройств- \
    действу- значит означа- правил- поряд-";
pub(super) const NOW: Topic = "\
    now long many my state status currently busy soon when ahead \
    сейчас долго длин- сколько мой мое моя моего моей меня состояни- статус- \
    текущ- занят занята занято заняты скоро когда впереди передо дела";
pub(super) const ASKS: Topic = "how what как что";
/// Of a message that is hardly longer: the line is what people wait in here.
pub(super) const HOW_LONG: &[&str] = &["где я", "долго", "сколько еще"];

pub(super) const CODE: Topic = "\
    code program function snippet script algorithm \
    код кода коде коду кодом программ- функци- сниппет- скрипт- алгоритм-";

pub(super) const HELP: Topic = "\
    help demo who anteroom yourself \
    помощ- помоги помогите справк- демо умеешь умеете умеет представься представьтесь";
pub(super) const HELP_PHRASES: &[&str] = &[
    "can you do-",
    "are you-",
    "кто ты",
    "кто вы",
    "ты кто",
    "вы кто",
    "кто здесь",
    "кто тут",
    "что ты такое",
    "что вы такое",
    "что ты можешь",
    "что вы можете",
    "можешь помочь",
    "можете помочь",
    "о себе",
    "про себя",
    "тебя зовут",
    "вас зовут",
    "ты бот-",
    "вы бот-",
    "ты робот-",
    "вы робот-",
    "ты человек",
    "вы человек",
    "ты настоящ-",
    "вы настоящ-",
];

pub(super) const THANKS: Topic = "\
    thanks thank thx bye goodbye cheers \
    спасибо спасибочки спс благодар- прощай прощайте увидимся";
pub(super) const THANKS_PHRASES: &[&str] = &["до свидания", "всего доброго", "всего хорошего", "до встречи"];
/// In longer messages it is `while`.
pub(super) const BYE: Topic = "пока";

pub(super) const GREETING: Topic = "\
    hello hi hey hallo morning evening afternoon greetings test ping \
    привет- здравствуй- здрасьте здрасте хай салют добрый доброе доброго \
    тест проверка пинг";

pub(super) const GREETING_PHRASES: &[&str] = &["как дела", "как жизнь", "как поживае-"];

pub(super) const COUNT: Topic = "count";
/// Alone they also mean `calculate`: with a number to count to.
pub(super) const COUNT_TO: Topic = "считай- посчита- сосчита- досчита- отсчита- счет";
pub(super) const UP_TO: Topic = "до";
pub(super) const LONG: Topic = "длинн-";
pub(super) const ANSWER: Topic = "ответ ответа текст текста";
/// What else asks for one, and does not speak of one that was given.
pub(super) const REQUEST: Topic = "дай дайте покаж- напиш- выда- хочу хочется нужен нужна пожалуйста";

/// What somebody asks for a tool with.
pub(super) const USE: Topic = "\
    use using call run tool tools \
    используй используйте воспользу- вызови вызовите вызвать запусти запустите примени примените инструмент-";

/// Words that say nothing of what a tool does.
const SMALL: Topic = "\
    a an the of and or to with for from at in on by as is it its this that these those what how who where when which please you your me my i \
    be are was do does did can could will would tell show give get set make use using call run tool tools back two \
    и или в во на из с со к ко по о об от до для у за это этот эта эти что как кто где когда какой какая какое какие каков какова \
    мне мой моя мое ты вы пожалуйста скажи покажи дай сделай используй вызови запусти инструмент";

/// Whether a word says nothing of what a tool does.
pub(super) fn is_small(word: &str) -> bool {
    SMALL.split_whitespace().any(|small| small == word)
}

/// Tools are mostly described in English: stems of what they are asked for in Russian.
const IN_ENGLISH: [(&str, &str); 24] = [
    ("файл", "file"),
    ("прочита", "read"),
    ("прочти", "read"),
    ("чита", "read"),
    ("запиши", "write"),
    ("найди", "search"),
    ("поиск", "search"),
    ("поищи", "search"),
    ("список", "list"),
    ("папк", "directory"),
    ("каталог", "directory"),
    ("погод", "weather"),
    ("сумм", "sum"),
    ("сложи", "add"),
    ("прибав", "add"),
    ("вычисли", "calculate"),
    ("время", "time"),
    ("времени", "time"),
    ("дата", "date"),
    ("эхо", "echo"),
    ("повтори", "echo"),
    ("картинк", "image"),
    ("изображени", "image"),
    ("страниц", "page"),
];

/// What a Russian word that asks for a tool is in English, if it is one that is known.
pub(super) fn in_english(word: &str) -> Option<&'static str> {
    IN_ENGLISH
        .iter()
        .find(|(stem, _)| word.starts_with(stem))
        .map(|(_, english)| *english)
}
