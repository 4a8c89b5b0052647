//! Markdown's syntax tree to HTML, one block of the top level at a time.

use std::fmt::{self, Write};

use comrak::{
    Arena, Options,
    html::{ChildRendering, Context, format_document_with_formatter, format_node_default},
    nodes::{Node, NodeMath, NodeValue, Sourcepos},
    options::Plugins,
};

use super::{clean::clean, code, highlight, math, notes, source::Source};
use crate::language::labels;

/// Deepest nesting of a block's parts. A block with a deeper one is shown as the text it was written as: no reader
/// could follow it, and browsers and cleaners take quadratic time over it.
pub(super) const MAX_DEPTH: usize = 40;

/// Longest address of a link, in bytes, and longest title: what is longer is no link, and has no title.
const MAX_URL_BYTES: usize = 2_000;
const MAX_TITLE_BYTES: usize = 300;

/// Longest text that the cleaner is given in one piece, in bytes. Writing out one that is full of `&` takes it
/// quadratic time (html5ever 0.40).
const MAX_TEXT_PIECE_BYTES: usize = 2_000;

/// What may still be made readable at some cost.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    /// Bytes of code that may still be highlighted; `None` where nothing is, because the block is still being written.
    pub(super) highlight: Option<usize>,
    /// Bytes of formulas that may still be read.
    pub(super) math: math::MathBudget,
}

impl Default for Budget {
    /// That of a whole answer.
    fn default() -> Self {
        Self {
            highlight: Some(highlight::MAX_ANSWER_BYTES),
            math: math::MAX_ANSWER_BYTES,
        }
    }
}

/// What writing a block needs to know.
pub(super) struct Drawing<'t> {
    pub(super) budget: Budget,
    /// How many footnotes have been written out.
    pub(super) note: u32,
    lines: &'t Lines<'t>,
}

/// Which of Markdown's extensions are read.
#[derive(Clone, Copy)]
pub(super) struct Syntax {
    tables: bool,
    /// Footnotes go to the end of an answer, wherever they are: so they are read once there is an end.
    notes: bool,
}

impl Syntax {
    /// Of a part of an answer.
    pub(super) const fn streaming(tables: bool) -> Self {
        Self { tables, notes: false }
    }

    /// Of a whole answer.
    pub(super) fn whole(source: &Source) -> Self {
        Self {
            tables: source.tables(),
            notes: source.text().contains("]:"),
        }
    }
}

/// The syntax tree of `text`.
pub(super) fn parse<'a>(arena: &'a Arena<'a>, text: &str, syntax: Syntax) -> Node<'a> {
    comrak::parse_document(arena, text, &options(syntax))
}

/// The HTML of blocks of the top level of `text`, clean.
pub(super) fn blocks<'a>(nodes: impl Iterator<Item = Node<'a>>, text: &str, budget: &mut Budget) -> Vec<String> {
    let options = options(Syntax {
        tables: true,
        notes: true,
    });
    let lines = Lines::new(text);
    let mut drawing = Drawing {
        budget: budget.clone(),
        note: 0,
        lines: &lines,
    };
    let mut blocks = Vec::new();
    for node in nodes {
        let (html, after) = block(node, &options, drawing);
        blocks.push(html);
        drawing = after;
    }
    *budget = drawing.budget;
    blocks
}

fn block<'a, 't>(node: Node<'a>, options: &Options<'_>, drawing: Drawing<'t>) -> (String, Drawing<'t>) {
    let mut html = String::new();
    let (budget, note, lines) = (drawing.budget.clone(), drawing.note, drawing.lines);
    let before = Drawing { budget, note, lines };
    if is_too_deep(node) {
        let position = node.data().sourcepos;
        let start = lines.offset(position.start.line);
        let end = lines.offset(position.end.line + 1);
        let _ = write_as_text(&mut html, lines.text.get(start..end).unwrap_or_default());
        return (clean(html.trim_end()), before);
    }
    let written = format_document_with_formatter(node, options, &mut html, &Plugins::default(), write_node, drawing);
    (clean(html.trim_end()), written.unwrap_or(before))
}

fn options(syntax: Syntax) -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = syntax.tables;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = syntax.notes;
    options.extension.math_dollars = true;
    options.extension.math_latex = true;
    options.extension.math_code = true;
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
    context: &mut Context<'_, '_, Drawing<'_>>,
    node: Node<'a>,
    entering: bool,
) -> Result<ChildRendering, fmt::Error> {
    match &node.data().value {
        NodeValue::CodeBlock(code) => {
            if entering {
                context.cr()?;
                code::write(context, code)?;
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
        NodeValue::Math(math) => {
            if entering {
                write_math(context, node, math)?;
            }
        }
        NodeValue::FootnoteReference(note) => {
            if entering {
                notes::write_mark(context, note)?;
            }
        }
        NodeValue::FootnoteDefinition(note) => notes::write_note(context, note, entering)?,
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

fn write_math(context: &mut Context<'_, '_, Drawing<'_>>, node: Node<'_>, math: &NodeMath) -> fmt::Result {
    let source = context.user.lines.slice(node.data().sourcepos);
    let source = source.filter(|source| source.contains(math.literal.trim()));
    let source = source.unwrap_or(&math.literal);
    if source.starts_with('$') && !math.display_math && is_within_word(node) {
        return write_text(context, source);
    }
    let mut budget = context.user.budget.math;
    match math.display_math {
        true => math::write_display(context, &math.literal, source, &mut budget)?,
        false => math::write(context, &math.literal, source, false, &mut budget)?,
    }
    context.user.budget.math = budget;
    Ok(())
}

/// Whether letters or digits touch it: dollars between them are prices and names of variables, hardly formulas.
fn is_within_word(node: Node<'_>) -> bool {
    let text = |node: Option<Node<'_>>, last: bool| {
        let node = node?;
        match &node.data().value {
            NodeValue::Text(text) if last => text.chars().next_back(),
            NodeValue::Text(text) => text.chars().next(),
            _ => None,
        }
    };
    let touches = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    touches(text(node.previous_sibling(), true)) || touches(text(node.next_sibling(), false))
}

/// Writes the beginning or the end of a link, or nothing where it may not lead there.
fn write_link(context: &mut Context<'_, '_, Drawing<'_>>, url: &str, title: &str, entering: bool) -> fmt::Result {
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
pub(super) fn write_text(output: &mut dyn Write, text: &str) -> fmt::Result {
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

/// A text, and where its lines start.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// The byte offset of a line, counted from 1; that of the end for lines after the last.
    fn offset(&self, line: usize) -> usize {
        let start = line.checked_sub(1).and_then(|index| self.starts.get(index));
        start.copied().unwrap_or(self.text.len())
    }

    /// What stands there, if that is a place in it.
    fn slice(&self, at: Sourcepos) -> Option<&'t str> {
        let start = self.offset(at.start.line) + at.start.column.checked_sub(1)?;
        let end = self.offset(at.end.line) + at.end.column;
        self.text.get(start..end)
    }
}

/// The byte offset in `text` of the line with this number, counted from 1.
pub(super) fn line_offset(text: &str, line: usize) -> usize {
    Lines::new(text).offset(line)
}
