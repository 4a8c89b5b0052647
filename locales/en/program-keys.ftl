# The page of programs' keys, and the way to it. Only the server says this: browsers are not sent it.
program-keys = Keys of programs
program-keys-valid = { $count ->
    [0] No key lets a program in.
    [one] { $count } key lets a program in.
   *[other] { $count } keys let programs in.
}
program-keys-lead = See, make, bound and revoke keys
program-keys-what = A program asks with a key, which is one owner in the line. Every node knows of a new or revoked key, and of other rates, within a second.
program-keys-rates = For each key without rates of its own, in a minute: requests: { $requests }; tokens, read and written: { $tokens }. KEY_REQUESTS_PER_MINUTE and KEY_TOKENS_PER_MINUTE set this.
program-keys-no-limit = no limit
program-keys-back = Back
program-keys-there = Keys
program-keys-none = There are none. As long as there never was one, programs on the server’s own machine are let in without.
program-keys-revoked = Revoked: { $count }
program-keys-all = All keys
program-key-new = A new key
program-key-name = Name, for people
program-key-lives = Good for
program-key-for-ever = until it is revoked
program-key-may = What it lets its program do
program-key-scope = { $scope ->
    [chat] – ask models
    [tasks] – leave tasks, and see after them
    [read] – read what is its own: conversations, files, models
   *[metrics] – read the figures of the site, where these need a key
}
program-key-make = Make the key
program-key-no-name = A key needs a name of 1 to 100 characters that can be seen, and none that looks like an id. No key was made.
program-key-taken = There is a key called { $name } already. Revoke that first, or choose another name. No key was made.
program-key-no-scope = Choose at least one thing that the key lets its program do. No key was made.
program-key-no-scopes = may do nothing
program-key-own-requests = Requests a minute
program-key-own-tokens = Tokens a minute
program-key-as-site = as the site
program-key-no-rate = A rate is a whole number: from 1 to 1,000,000 requests, from 1 to 1,000,000,000 tokens. Leave it empty for what the site’s settings say. No key was made.
program-key-no-other-rate = A rate is a whole number: from 1 to 1,000,000 requests, from 1 to 1,000,000,000 tokens. Leave it empty for what the site’s settings say. Nothing was changed.
program-key-rates = Rates
program-key-rates-which = Rates of { $name }
program-key-rates-set = Set these rates
program-key-own = Rates of its own, in a minute: requests: { $requests }; tokens: { $tokens }
program-key-made = Made { $time }
program-key-expires = Expires { $time }
program-key-has-expired = Has expired { $time }
program-key-stays = Good until it is revoked
program-key-is-revoked = Revoked { $time }
program-key-used = Last used { $ago }
program-key-unused = Not used here since this server’s start
program-key-requests = Requests left: { $left } of { $limit }
program-key-tokens = Tokens left: { $left } of { $limit }
program-key-tools = Keys for tools
program-key-tools-which = Keys for tools of { $name }
program-key-revoke = Revoke
program-key-revoke-which = Revoke { $name }
program-key-really = { $name } lets its program in no more, and what that has asked for ends. This cannot be undone.
program-key-yes = Revoke it for ever
program-key-shown = The new key
program-key-once = This is the key of { $name }. It is shown this once, and kept nowhere: give it to its program now.
program-key-itself = Key
program-key-select = A press on it selects all of it.
program-key-copy = Copy the key
program-key-copied = It is copied.
program-key-not-copied = It could not be copied, but it is selected.
program-key-sent = Its program sends it as:
