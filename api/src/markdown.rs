//! Markdown from strangers, made safe to show.

use pulldown_cmark::{Options, Parser, html};

/// HTML without scripts, styles, frames or links to other schemes than the web's.
#[must_use]
pub fn to_html(markdown: &str) -> String {
    let mut unsafe_html = String::with_capacity(markdown.len() * 2);
    html::push_html(
        &mut unsafe_html,
        Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH),
    );
    ammonia::clean(&unsafe_html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_html_and_scripts_become_nothing() {
        assert_eq!(to_html("# Redis\n\n*fast*"), "<h1>Redis</h1>\n<p><em>fast</em></p>\n");
        let hostile = "<script>alert(1)</script>\n\n[x](javascript:alert(1))\n\n<img src=x onerror=alert(1)>";
        let html = to_html(hostile);
        for trap in ["<script", "href=\"javascript", "onerror"] {
            assert!(!html.contains(trap), "{html}");
        }
    }
}
