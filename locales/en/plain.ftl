# Pages without scripts. Only the server says this: browsers are not sent it.
plain-missing = Scripts are off in this browser. Sending, cancelling, stopping, regenerating, renaming and deleting work; a page with a message that waits refreshes itself every { $seconds } seconds. Missing are answers as they are written, files, editing what was sent, search, figures and records.
plain-manage = Rename, save or delete this conversation
plain-delete-really = It cannot be brought back from a page without scripts.

# What stands in a page's head.
site-description = A fair line in front of a language model.

# A page of what was sent without scripts, and was refused.
unsent-message = Your message was not sent
unsent-forget = Nothing was deleted
unsent-other = Nothing was changed
unsent-operator = This is not the operator’s link
unsent-text = What you wrote, to be copied:
unsent-back = Back
