//! Markdown from strangers, made safe to show.
//!
//! Only tags that Markdown itself makes reach the reader: raw HTML is shown as text, and an image by its alternative
//! text, since fetching it would tell a stranger who reads. Time and nesting are bounded: what goes beyond is shown as it
//! was written.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

/// Longest Markdown that is rendered, in bytes.
const MARKDOWN_MAX_BYTES: usize = 512 << 10;
/// Most elements inside each other; quotes and lists in the text are counted before it is parsed.
const NESTING_MAX: usize = 64;
/// Widest indentation of a line, in bytes. Every level of a list needs some.
const INDENTATION_MAX_BYTES: usize = 256;

/// HTML without scripts, styles, frames, images or links to other schemes than the web's.
///
/// It takes a while: call it where blocking is fine.
#[must_use]
pub fn to_html(markdown: &str) -> String {
    rendered(markdown).unwrap_or_else(|| as_written(markdown))
}

/// The HTML, or `None` if the text is too long or too deep.
fn rendered(markdown: &str) -> Option<String> {
    if markdown.len() > MARKDOWN_MAX_BYTES || markdown.lines().any(nests_too_deep) {
        return None;
    }
    let mut events = vec![];
    let mut depth = 0_usize;
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Image { .. } | Tag::HtmlBlock) | Event::End(TagEnd::Image | TagEnd::HtmlBlock) => {}
            Event::Html(raw) | Event::InlineHtml(raw) => events.push(Event::Text(raw)),
            Event::Start(_) if depth == NESTING_MAX => return None,
            event => {
                match &event {
                    Event::Start(_) => depth += 1,
                    Event::End(_) => depth = depth.saturating_sub(1),
                    _ => {}
                }
                events.push(event);
            }
        }
    }
    let mut html = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut html, events.into_iter());
    // What Markdown makes is harmless but for the schemes of links; this does not rely on it.
    Some(ammonia::Builder::default().rm_tags(["img"]).clean(&html).to_string())
}

/// Whether the line opens more quotes and list items, or is indented wider, than anybody reads. Parsing such lines takes
/// time beyond any proportion to their length.
fn nests_too_deep(line: &str) -> bool {
    let start = line.trim_start_matches([
        ' ', '\t', '>', '-', '+', '*', '.', ')', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
    ]);
    let opening = &line[..line.len() - start.len()];
    let indentation = opening.bytes().filter(|byte| matches!(byte, b' ' | b'\t')).count();
    let markers = opening.bytes().filter(|byte| *byte == b'>').count()
        + opening.split([' ', '\t']).filter(|word| is_list_marker(word)).count();
    markers > NESTING_MAX || indentation > INDENTATION_MAX_BYTES
}

fn is_list_marker(word: &str) -> bool {
    let marker = word.trim_start_matches('>');
    matches!(marker, "-" | "+" | "*") || (marker.len() > 1 && marker.ends_with(['.', ')']))
}

/// The text itself, in one block.
fn as_written(markdown: &str) -> String {
    let mut html = String::with_capacity(markdown.len() + 16);
    html.push_str("<pre>");
    for character in markdown.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html.push_str("</pre>\n");
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_html() {
        assert_eq!(to_html("# Redis\n\n*fast*"), "<h1>Redis</h1>\n<p><em>fast</em></p>\n");
        assert_eq!(
            to_html("- a\n  - b\n\n> c"),
            "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n</ul>\n<blockquote>\n<p>c</p>\n</blockquote>\n"
        );
    }

    #[test]
    fn raw_html_is_shown_and_not_obeyed() {
        let hostile =
            "<script>alert(1)</script>\n\n[x](javascript:alert(1))\n\na <b onclick=x>b</b>\n\n<div><img src=x></div>";
        let html = to_html(hostile);
        for trap in ["<script", "href=\"javascript", "<b", "<div", "<img"] {
            assert!(!html.contains(trap), "{html}");
        }
        assert!(html.contains("&lt;script&gt;"), "{html}");
    }

    #[test]
    fn no_image_is_fetched_and_its_alternative_text_is_read() {
        let html =
            to_html("![a *graph*](http://evil.example/t.gif) [![build](https://ci.example/b.svg)](https://ci.example)");
        assert!(
            !html.contains("<img") && !html.contains("t.gif") && !html.contains("b.svg"),
            "{html}"
        );
        assert!(
            html.contains("a <em>graph</em>") && html.contains(">build</a>"),
            "{html}"
        );
    }

    #[test]
    fn what_nests_too_deep_is_shown_as_it_was_written() {
        let staircase: String = (0..2_000).map(|level| format!("{}- a\n", "  ".repeat(level))).collect();
        for hostile in [
            ">".repeat(200_000) + "a",
            "> ".repeat(200_000) + "a",
            "- ".repeat(200_000) + "a",
            "1. ".repeat(100_000) + "a",
            staircase,
            "*a **b ".repeat(20_000) + &"c** d*".repeat(20_000),
            "a".repeat(MARKDOWN_MAX_BYTES + 1),
        ] {
            let html = to_html(&hostile);
            assert!(
                html.starts_with("<pre>") && html.ends_with("</pre>\n"),
                "{}",
                &html[..80]
            );
            assert!(!html[5..html.len() - 7].contains('<'));
        }
    }

    #[test]
    fn many_open_tags_are_text() {
        let html = to_html(&"<div>".repeat(90_000));
        assert!(html.contains("&lt;div&gt;&lt;div&gt;") && !html.contains("<div>"));
    }

    #[test]
    fn rules_and_tables_are_no_nesting() {
        let line = "-".repeat(100);
        assert_eq!(to_html(&format!("a\n\n{line}\n\nb")), "<p>a</p>\n<hr>\n<p>b</p>\n");
        let spaced = "* ".repeat(40);
        assert_eq!(to_html(&spaced), "<hr>\n");
    }
}
