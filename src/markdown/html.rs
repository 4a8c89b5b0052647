//! Markdown's syntax tree to HTML, one block of the top level at a time.

use std::fmt::{self, Write};

use comrak::{
    Arena, Options,
    html::{ChildRendering, Context, format_document_with_formatter, format_node_default},
    nodes::{Node, NodeCodeBlock, NodeValue},
    options::Plugins,
};

use super::{clean::clean, highlight};
use crate::language::labels;

/// Deepest nesting of a block's parts. A block with a deeper one is shown as the text it was written as: no reader
/// could follow it, and browsers and cleaners take quadratic time over it.
pub(super) const MAX_DEPTH: usize = 40;

/// Longest name of a language shown above code, in characters.
const MAX_LANGUAGE_CHARS: usize = 32;

/// Longest address of a link, in bytes, and longest title: what is longer is no link, and has no title.
const MAX_URL_BYTES: usize = 2_000;
const MAX_TITLE_BYTES: usize = 300;

/// Longest text that the cleaner is given in one piece, in bytes. Writing out one that is full of `&` takes it
/// quadratic time (html5ever 0.40).
const MAX_TEXT_PIECE_BYTES: usize = 2_000;

/// Bytes of code that may still be highlighted; `None` where nothing is, because the block is still being written.
pub(super) type HighlightBudget = Option<usize>;

/// The syntax tree of `text`.
pub(super) fn parse<'a>(arena: &'a Arena<'a>, text: &str, tables: bool) -> Node<'a> {
    comrak::parse_document(arena, text, &options(tables))
}

/// The HTML of blocks of the top level of `text`, clean.
pub(super) fn blocks<'a>(
    nodes: impl Iterator<Item = Node<'a>>,
    text: &str,
    highlight: &mut HighlightBudget,
) -> Vec<String> {
    let options = options(true);
    let mut lines = LineStarts::new(text);
    nodes.map(|node| block(node, &mut lines, &options, highlight)).collect()
}

fn block<'a>(
    node: Node<'a>,
    lines: &mut LineStarts<'_>,
    options: &Options<'_>,
    highlight: &mut HighlightBudget,
) -> String {
    let mut html = String::new();
    if is_too_deep(node) {
        let position = node.data().sourcepos;
        let start = lines.offset(position.start.line);
        let end = lines.offset(position.end.line + 1);
        let _ = write_as_text(&mut html, lines.text.get(start..end).unwrap_or_default());
        return clean(html.trim_end());
    }
    let written = format_document_with_formatter(node, options, &mut html, &Plugins::default(), write_node, *highlight);
    if let Ok(left) = written {
        *highlight = left;
    }
    clean(html.trim_end())
}

fn options(tables: bool) -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = tables;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.render.tasklist_classes = true;
    options.render.escape = true;
    options
}

fn is_too_deep(block: Node<'_>) -> bool {
    use comrak::arena_tree::NodeEdge;
    let mut depth = 0_usize;
    block.traverse().any(|edge| {
        match edge {
            NodeEdge::Start(_) => depth += 1,
            NodeEdge::End(_) => depth -= 1,
        }
        depth > MAX_DEPTH
    })
}

/// Writes what Anteroom shows otherwise than CommonMark's reference does.
fn write_node<'a>(
    context: &mut Context<'_, '_, HighlightBudget>,
    node: Node<'a>,
    entering: bool,
) -> Result<ChildRendering, fmt::Error> {
    match &node.data().value {
        NodeValue::CodeBlock(code) => {
            if entering {
                context.cr()?;
                write_code(context, code)?;
            }
        }
        NodeValue::HtmlBlock(html) => {
            if entering {
                context.cr()?;
                write_as_text(context, &html.literal)?;
            }
        }
        NodeValue::HtmlInline(html) => {
            if entering {
                // Models have no other way to break a line in the cell of a table.
                if is_line_break(html) {
                    context.write_str("<br>")?;
                } else {
                    write_text(context, html)?;
                }
            }
        }
        NodeValue::Text(text) => {
            if entering {
                write_text(context, text)?;
            }
        }
        NodeValue::Code(code) => {
            if entering {
                context.write_str("<code>")?;
                write_text(context, &code.literal)?;
                context.write_str("</code>")?;
            }
        }
        NodeValue::Heading(heading) => {
            // The page has the first level, a message and its answer the second.
            let level = (heading.level + 2).min(6);
            if entering {
                context.cr()?;
                write!(context, "<h{level}>")?;
            } else {
                writeln!(context, "</h{level}>")?;
            }
        }
        NodeValue::Link(link) => write_link(context, &link.url, &link.title, entering)?,
        NodeValue::Image(image) => {
            if entering {
                let in_link = node
                    .ancestors()
                    .skip(1)
                    .any(|parent| matches!(parent.data().value, NodeValue::Link(_)));
                let url = if in_link { "" } else { image.url.as_str() };
                write_link(context, url, "", true)?;
                let alt = node.collect_text();
                write_text(context, if alt.trim().is_empty() { labels::IMAGE } else { &alt })?;
                write_link(context, url, "", false)?;
            }
            return Ok(ChildRendering::Skip);
        }
        NodeValue::Table(_) => {
            if entering {
                context.cr()?;
                // What is wider than the page scrolls by itself, and has to be reached by keyboard.
                let label = labels::TABLE;
                write!(
                    context,
                    "<div class=\"table-wrap\" tabindex=\"0\" role=\"group\" aria-label=\"{label}\">"
                )?;
            }
            format_node_default(context, node, entering)?;
            if !entering {
                context.write_str("</div>")?;
            }
        }
        _ => return format_node_default(context, node, entering),
    }
    Ok(ChildRendering::HTML)
}

fn write_code(context: &mut Context<'_, '_, HighlightBudget>, code: &NodeCodeBlock) -> fmt::Result {
    let language = code.info.split([' ', '\t', ',', '{']).next().unwrap_or_default();
    context.write_str("<div class=\"code\"><div class=\"code-bar\"><span class=\"code-lang\">")?;
    context.escape(&language.chars().take(MAX_LANGUAGE_CHARS).collect::<String>())?;
    let (copy, label) = (labels::COPY, labels::CODE);
    write!(
        context,
        "</span><button type=\"button\" class=\"code-copy\" data-copy>{copy}</button></div>"
    )?;
    // See the table's.
    write!(
        context,
        "<pre tabindex=\"0\" role=\"group\" aria-label=\"{label}\"><code>"
    )?;
    let highlighted = match &mut context.user {
        Some(budget) if code.literal.len() <= *budget => {
            let html = highlight::highlight(language, &code.literal);
            if html.is_some() {
                *budget -= code.literal.len();
            }
            html
        }
        _ => None,
    };
    match highlighted {
        Some(html) => context.write_str(&html)?,
        None => write_text(context, &code.literal)?,
    }
    context.write_str("</code></pre></div>\n")
}

/// Writes the beginning or the end of a link, or nothing where it may not lead there.
fn write_link(context: &mut Context<'_, '_, HighlightBudget>, url: &str, title: &str, entering: bool) -> fmt::Result {
    if !is_safe_url(url) {
        return Ok(());
    }
    if !entering {
        return context.write_str("</a>");
    }
    context.write_str("<a href=\"")?;
    context.escape_href(url)?;
    if !title.is_empty() && title.len() <= MAX_TITLE_BYTES {
        context.write_str("\" title=\"")?;
        context.escape(title)?;
    }
    context.write_str("\">")
}

/// Writes text, parted by comments, which the cleaner drops, where it is long.
fn write_text(output: &mut dyn Write, text: &str) -> fmt::Result {
    let mut rest = text;
    while rest.len() > MAX_TEXT_PIECE_BYTES {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(MAX_TEXT_PIECE_BYTES));
        comrak::html::escape(output, piece)?;
        output.write_str("<!---->")?;
        rest = after;
    }
    comrak::html::escape(output, rest)
}

fn write_as_text(output: &mut dyn Write, text: &str) -> fmt::Result {
    output.write_str("<p class=\"raw\">")?;
    write_text(output, text.trim_matches('\n'))?;
    output.write_str("</p>\n")
}

fn is_line_break(html: &str) -> bool {
    let inner = html
        .trim_start_matches('<')
        .trim_end_matches('>')
        .trim_end_matches('/')
        .trim();
    inner.eq_ignore_ascii_case("br")
}

/// Whether a link may lead there: only what plainly begins with a scheme that is known to be harmless.
fn is_safe_url(url: &str) -> bool {
    url.len() <= MAX_URL_BYTES
        && ["http://", "https://", "mailto:"].iter().any(|scheme| {
            url.get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        })
        && !url.chars().any(|c| c.is_control())
}

/// Finds where lines start, going over the text once.
struct LineStarts<'t> {
    text: &'t str,
    line: usize,
    offset: usize,
}

impl<'t> LineStarts<'t> {
    const fn new(text: &'t str) -> Self {
        Self {
            text,
            line: 1,
            offset: 0,
        }
    }

    /// The byte offset of a line, counted from 1; that of the end for lines after the last. Ask in ascending order.
    fn offset(&mut self, line: usize) -> usize {
        while self.line < line {
            let rest = &self.text[self.offset..];
            self.offset += rest.find('\n').map_or(rest.len(), |end| end + 1);
            self.line += 1;
        }
        self.offset
    }
}

/// The byte offset in `text` of the line with this number, counted from 1.
pub(super) fn line_offset(text: &str, line: usize) -> usize {
    LineStarts::new(text).offset(line)
}
