use super::*;
use crate::config::{OAuth2Settings, RefreshIn};

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn personal(token: &str) -> Credential {
    Credential::load(CredentialChoice::PersonalAccessToken(SecretSource::Inline(secret(token)))).unwrap()
}

fn oauth2() -> Credential {
    Credential::load(CredentialChoice::OAuth2(OAuth2Settings {
        client_id: "client".to_owned(),
        client_secret: SecretSource::Inline(secret("hush")),
        refresh_token: SecretSource::Inline(secret("seed")),
        token_url: "http://localhost/token".to_owned(),
        refresh_in: RefreshIn::Body,
    }))
    .unwrap()
}

fn granted(access: &str, refresh: Option<&str>, seconds: u64) -> Granted {
    Granted {
        access_token: secret(access),
        refresh_token: refresh.map(secret),
        lifetime: Duration::from_secs(seconds),
    }
}

#[test]
fn the_token_does_not_show() {
    assert!(!format!("{:?}", personal("very-secret").headers()).contains("very-secret"));
}

#[test]
fn only_another_token_is_a_new_generation() {
    let mut credential = personal("first");
    let now = Instant::now();

    assert!(!credential.adopt(vec![secret("first")], now).unwrap());
    assert_eq!(credential.generation(), 0);
    assert!(credential.adopt(vec![secret("second")], now).unwrap());
    assert_eq!(credential.generation(), 1);
}

#[test]
fn a_token_that_no_header_can_carry_changes_nothing() {
    let mut credential = personal("first");

    assert!(credential.adopt(vec![secret("two\nlines")], Instant::now()).is_err());
    assert_eq!(credential.generation(), 0);
}

#[test]
fn an_access_token_is_shown_with_the_client_and_replaced_ahead_of_its_end() {
    let mut credential = oauth2();
    assert!(!credential.is_there());
    let asked = Instant::now();

    let request = credential.token_request(asked).unwrap().1;
    credential.granted(granted("access", None, 3600), &request).unwrap();

    let names: Vec<_> = credential.headers().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [AUTHORIZATION, CLIENT_ID]);
    let used = credential.refresh_at().unwrap() - asked;
    assert!((2880..=3240).contains(&used.as_secs()), "{used:?}");
    assert_eq!(credential.generation(), 1);
}

#[test]
fn a_token_that_is_over_at_once_is_not_asked_for_again_within_the_second() {
    let mut credential = oauth2();
    let asked = Instant::now();

    let request = credential.token_request(asked).unwrap().1;
    credential.granted(granted("access", None, 0), &request).unwrap();

    assert_eq!(credential.refresh_at().unwrap() - asked, Duration::from_secs(1));
}

#[test]
fn a_replaced_refresh_token_is_used_until_the_seed_changes() {
    let mut credential = oauth2();
    let now = Instant::now();
    assert!(credential.rotated().is_none());

    let asked = credential.token_request(now).unwrap().1;
    credential.granted(granted("access", Some("second"), 60), &asked).unwrap();
    assert_eq!(credential.rotated().unwrap().expose_secret(), "second");
    assert!(!credential.adopt(vec![secret("hush"), secret("seed")], now).unwrap());
    assert_eq!(credential.rotated().unwrap().expose_secret(), "second");

    assert!(credential.adopt(vec![secret("hush"), secret("new seed")], now).unwrap());
    assert!(credential.rotated().is_none());
    assert_eq!(credential.refresh_at(), Some(now));
}

#[test]
fn a_seed_that_changes_while_the_old_one_is_being_replaced_wins() {
    let mut credential = oauth2();
    let now = Instant::now();
    let asked = credential.token_request(now).unwrap().1;

    credential.adopt(vec![secret("hush"), secret("new seed")], now).unwrap();
    assert!(credential.has_changed_since(&asked));
    credential.granted(granted("access", Some("successor of the old"), 3600), &asked).unwrap();

    assert!(credential.rotated().is_none(), "the new seed is what is used next");
    assert_eq!(credential.refresh_at(), Some(now), "and at once");
}

#[test]
fn a_client_secret_that_changes_meanwhile_does_not_cost_the_replaced_refresh_token() {
    let mut credential = oauth2();
    let now = Instant::now();
    let asked = credential.token_request(now).unwrap().1;

    credential.adopt(vec![secret("hush hush"), secret("seed")], now).unwrap();
    credential.granted(granted("access", Some("second"), 3600), &asked).unwrap();

    assert_eq!(credential.rotated().unwrap().expose_secret(), "second");
}

#[test]
fn a_replaced_refresh_token_is_kept_even_when_the_access_token_beside_it_is_of_no_use() {
    let mut credential = oauth2();
    let asked = credential.token_request(Instant::now()).unwrap().1;

    assert!(credential.granted(granted("two\nlines", Some("second"), 60), &asked).is_err());

    assert!(!credential.is_there());
    assert_eq!(credential.rotated().unwrap().expose_secret(), "second");
}

#[test]
fn a_replaced_refresh_token_that_was_kept_is_used_by_the_next_process_while_the_seed_is_the_same() {
    let mut before = oauth2();
    assert!(before.rotation().is_none());
    let asked = before.token_request(Instant::now()).unwrap().1;
    before.granted(granted("access", Some("second one"), 60), &asked).unwrap();
    let kept = before.rotation().unwrap();

    let mut after = oauth2();
    after.restore_rotation(&kept);

    assert_eq!(after.rotated().unwrap().expose_secret(), "second one");
    assert_eq!(after.rotation().unwrap().expose_secret(), kept.expose_secret());
    let mut reseeded = oauth2();
    reseeded.adopt(vec![secret("hush"), secret("new seed")], Instant::now()).unwrap();
    reseeded.restore_rotation(&kept);
    assert!(reseeded.rotated().is_none());
    for broken in ["", "second", "xyz second", "0 second"] {
        let mut after = oauth2();
        after.restore_rotation(&secret(broken));
        assert!(after.rotated().is_none(), "{broken}");
    }
}
