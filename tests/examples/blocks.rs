//! Finds what can be run in the README, and what it shows behind it.

/// One block of the README that can be run.
#[derive(Debug)]
pub struct Example {
    /// The line of the README it begins on.
    pub line: usize,
    pub language: Language,
    pub code: String,
    /// What the README shows behind it.
    pub shown: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Shell,
    Python,
}

/// Every fenced block that is to be run, in order.
pub fn examples(text: &str) -> Vec<Example> {
    let lines: Vec<_> = text.lines().collect();
    let mut examples = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let Some((language, block, after)) = block(&lines, at) else {
            at += 1;
            continue;
        };
        let line = at + 1;
        at = after;
        let is_curl = block.split_whitespace().any(|word| word == "curl");
        let example = match language {
            "python" => Example { line, language: Language::Python, code: block, shown: None },
            "sh" | "bash" if is_curl => Example { line, language: Language::Shell, code: block, shown: None },
            "console" if is_curl => {
                let (code, shown) = session(&block);
                Example { line, language: Language::Shell, code, shown: Some(shown) }
            }
            "text" => continue,
            other => {
                assert!(!is_curl, "README.md:{line}: a block of {other:?} is not run; mark it as sh");
                continue;
            }
        };
        let shown = self::block(&lines, at).filter(|(language, ..)| *language == "text");
        let shown = example.shown.or(shown.map(|(_, block, _)| block));
        examples.push(Example { shown, ..example });
    }
    examples
}

/// The fenced block that begins on line `at`: its language, its text, the line behind it.
fn block<'a>(lines: &[&'a str], at: usize) -> Option<(&'a str, String, usize)> {
    let language = lines.get(at)?.strip_prefix("```")?;
    let length = lines[at + 1..].iter().position(|line| *line == "```").expect("a block without an end");
    let end = at + 1 + length;
    Some((language.trim(), lines[at + 1..end].join("\n"), end + 1))
}

/// The commands of a console session, and what they write.
fn session(text: &str) -> (String, String) {
    let (mut code, mut shown, mut goes_on) = (String::new(), String::new(), false);
    for line in text.lines() {
        let command = if goes_on { Some(line) } else { line.strip_prefix("$ ") };
        goes_on = command.is_some_and(|command| command.ends_with('\\'));
        let text = if command.is_some() { &mut code } else { &mut shown };
        text.push_str(command.unwrap_or(line));
        text.push('\n');
    }
    (code, shown)
}

#[test]
fn blocks_are_found_with_what_is_shown_behind_them() {
    let text = "x\n```sh\ncurl a\n```\n```text\nA\n```\n```console\n$ curl \\\n  b\nB\n```\n```toml\nc\n```\n\
                ```python\nd\n```\n\n```text\nno\n```\n```sh\nls\n```\n";

    let found: Vec<_> = examples(text).into_iter().map(|one| (one.line, one.code, one.shown)).collect();

    let expected = [
        (2, "curl a".to_owned(), Some("A".to_owned())),
        (8, "curl \\\n  b\n".to_owned(), Some("B\n".to_owned())),
        (16, "d".to_owned(), None),
    ];
    assert_eq!(found, expected);
}
