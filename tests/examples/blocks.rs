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
    /// A command that starts the gateway which the examples behind it talk to.
    Serve,
    Shell,
    Python,
    JavaScript,
    Rust,
}

/// Every fenced block that is to be run, in order: those of a programming language, and those that call the gateway
/// or start the simulated one. One that can't be tried by everybody is marked `sh no_run`.
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
        let calls = calls(&block);
        let (language, code, shown) = match language {
            "python" => (Language::Python, block, None),
            "js" => (Language::JavaScript, block, None),
            "rust" => (Language::Rust, block, None),
            "sh" if block.contains("serve --sandbox") => (Language::Serve, block, None),
            "sh" if calls => (Language::Shell, block, None),
            "console" if calls => {
                let (code, shown) = session(&block);
                (Language::Shell, code, Some(shown))
            }
            "sh no_run" => {
                assert!(calls, "README.md:{line}: nothing of it would be run; mark it as sh");
                continue;
            }
            "sh" | "console" | "text" | "toml" => continue,
            other => panic!("README.md:{line}: a block of {other:?} is not run; mark it as one that is"),
        };
        let behind = self::block(&lines, at).filter(|(language, ..)| *language == "text");
        let shown = shown.or(behind.map(|(_, block, _)| block));
        examples.push(Example { line, language, code, shown });
    }
    examples
}

/// Whether commands call the gateway.
fn calls(commands: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    commands.split(|letter| !is_part(letter)).any(|word| matches!(word, "curl" | "faxplus-gateway"))
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
                ```python\nd\n```\n\n```text\nno\n```\n```sh\nls\n```\n```sh no_run\ncurl e\n```\n\
                ```sh\nfaxplus-gateway serve --sandbox\n```\n```sh\nX=$(curl f)\n```\n";

    let found: Vec<_> =
        examples(text).into_iter().map(|one| (one.line, one.language, one.code, one.shown)).collect();

    let expected = [
        (2, Language::Shell, "curl a".to_owned(), Some("A".to_owned())),
        (8, Language::Shell, "curl \\\n  b\n".to_owned(), Some("B\n".to_owned())),
        (16, Language::Python, "d".to_owned(), None),
        (29, Language::Serve, "faxplus-gateway serve --sandbox".to_owned(), None),
        (32, Language::Shell, "X=$(curl f)".to_owned(), None),
    ];
    assert_eq!(found, expected);
}
