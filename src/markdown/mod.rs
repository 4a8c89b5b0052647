//! Markdown to clean HTML, block by block.
