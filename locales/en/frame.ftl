# What surrounds every page.
site-description = A fair line in front of a language model.

# A page of what was sent without scripts, and was refused.
unsent-message = Your message was not sent
unsent-forget = Nothing was deleted
unsent-other = Nothing was changed
unsent-operator = This is not the operator’s link
unsent-text = What you wrote, to be copied:
unsent-back = Back
