//! Text inside HTML and SVG: names of a trace stay text, whatever they hold.

/// Returns a text that is safe between tags and inside quoted attributes, of HTML and of XML. Control characters, which no
/// browser shows and XML forbids, become the replacement character.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(shown(c)),
        }
    }
    safe
}

/// Returns a text that a page's script may show as text: without what is never seen or turns the text around it.
pub fn plain(text: &str) -> String {
    text.chars().map(shown).collect()
}

/// Returns JSON that can stand inside a `script` element: no tag can begin or end in it.
pub fn json_in_script(json: &str) -> String {
    // These characters stand only inside strings of JSON, where an escape means the same.
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Returns the character, or the replacement character for controls and for what would make one name look like another.
fn shown(c: char) -> char {
    match c {
        c if c.is_control() && c != '\n' && c != '\t' => '\u{fffd}',
        // XML has no way to write the last two.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => {
            '\u{fffd}'
        }
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_text() {
        let nasty = "</text><script>alert('x')</script>&\"\u{1b}[31m\u{202e}é\u{ffff}";
        assert_eq!(
            escape(nasty),
            "&lt;/text&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;\u{fffd}[31m\u{fffd}é\u{fffd}"
        );
        assert_eq!(plain("a\u{202e}b\u{0}<"), "a\u{fffd}b\u{fffd}<");
        let json = serde_json::to_string("</script><!--&").unwrap();
        let inside = json_in_script(&json);
        assert!(!inside.contains(['<', '>', '&']), "{inside}");
        assert_eq!(serde_json::from_str::<String>(&inside).unwrap(), "</script><!--&");
    }
}
