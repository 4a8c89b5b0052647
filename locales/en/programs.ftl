# Why a program is refused. No page has use for these, so browsers are not sent them.
reason-no-key = This needs a key, sent as “Authorization: Bearer …”. Whoever runs this server makes one: anteroom key add NAME.
reason-key-unknown = This server does not know this key. It may be another server's, or not be whole: keys begin with anteroom_.
reason-key-expired = This key has expired. Whoever runs this server makes another one: anteroom key add NAME.
reason-key-revoked = This key has been revoked. Whoever runs this server makes another one: anteroom key add NAME.
reason-key-too-many-requests = This key may send { $most } requests a minute, and has sent them. Try again in { $span }.
reason-key-too-many-tokens = This key may use { $most } tokens a minute, and has used them. Try again in { $span }.
reason-address-too-many-requests = From this address { $most } requests may come in a minute, and they have come. Try again in { $span }.
reason-address-too-many-tokens = Programs at this address may use { $most } tokens a minute, and have used them. Try again in { $span }.
reason-key-may-not = This key may not do this. It needs the scope { $name }; whoever runs this server makes one that has it: anteroom key add NAME --scopes { $name }
reason-model-not-offered-to-program = The model { $model } is not offered here. GET /api/v1/models lists those that are.
reason-request-gone = There is no such request, or it is not kept any more. Ask again as if for the first time.
reason-passes-off = Taking conversations along is switched off on this site (TAKE_ALONG), so there are no links to them.
reason-too-many-passes = { $most } links to this conversation are out, and there may be no more. Revoke one first.
reason-pass-gone = There is no such link to this conversation, or it is over or revoked already.
reason-leave-gone = Nothing has been said of this tool for the conversation. GET /api/v1/conversations/…/leaves lists what has.
reason-forget-unconfirmed = This deletes everything of the caller for good. Ask GET /api/v1/forget for the confirmation that it needs, and send that.

# Tasks.
reason-task-gone = There is no such task, or it has been removed. Results are kept for some days: see TASKS_KEEP_AFTER.
reason-task-unfit = Task { $name } cannot be taken: { $sentence }
reason-task-too-long = Task { $name } is too long: a task may have { $most } bytes. Shorten it.
reason-too-many-tasks = A batch has at least one task and at most { $most }. Send them in several batches.
reason-too-many-open-tasks = More than { $most } of your tasks would be open at once. Send these when some are done.
reason-tasks-named-twice = Each name in a batch may be used once. Used more often: { $name }
reason-tasks-in-circle = These tasks wait for each other in a circle, so none of them could ever begin: { $name }
reason-tasks-unknown = Tasks depend on these, which are neither names in this batch nor ids of your tasks: { $name }
reason-task-needs-failed = It depends on { $name }, which failed or was cancelled.
reason-key-of-another = This Idempotency-Key was used with another batch. Choose a new key for each batch, and repeat it only with the same body.
reason-webhook-unfit = This webhook cannot be used: { $sentence }
