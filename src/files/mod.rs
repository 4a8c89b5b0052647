//! Files that people upload: checked by content, kept by session.
