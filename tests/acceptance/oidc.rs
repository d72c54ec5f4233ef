//! Signing in by an OpenID provider: by a certified one, and in spite of one that lies.

use harness::{
    Story,
    browser::Browser,
    openid::{CLIENT, Certified, Hostile, Lie, SECRET},
    person::Answer,
    text,
};
use reqwest::{Method, header::ACCEPT};
use serde_json::json;

const COOKIE: &str = "__Host-charthouse-oidc";
const SESSION: &str = "__Host-charthouse-session";

/// A server whose people sign in by this provider.
async fn story(issuer: &str, more: &[&str]) -> Story {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, format!("{SECRET}\n")).expect("the secret can be written");
    let secret = secret.to_str().expect("a path of letters");
    let options = [
        "--oidc-issuer",
        issuer,
        "--oidc-client-id",
        CLIENT,
        "--oidc-client-secret-file",
        secret,
    ];
    Story::begin_with(&[&options, more].concat()).await
}

async fn account(story: &Story, name: &str) -> String {
    let made = story.admin.does("createAccount", json!({ "name": name })).await;
    text(&made, "/account/id").to_owned()
}

/// Signs in at the certified provider as somebody.
async fn comes(story: &Story, hint: &str) -> (Browser, u16) {
    let browser = Browser::new(story.server.address());
    let start = story.server.address().url("/auth/oidc/start");
    let sent = browser.answer(browser.request(Method::GET, &start)).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let page = browser
        .goes_to(&format!("{}&login_hint={hint}", sent.header("location")))
        .await;
    (browser, page.status)
}

/// Whether the page for browsers leads to the provider.
async fn page_leads_to_provider(story: &Story) -> bool {
    let page = story
        .nobody()
        .request(Method::GET, "/graphql")
        .header(ACCEPT, "text/html");
    Answer::to(page).await.text().contains("href=\"/auth/oidc/start\"")
}

#[tokio::test]
async fn whom_a_certified_provider_vouches_for_is_signed_in_as_the_account_made_for_them() {
    let provider = Certified::start().await;
    let story = story(&provider.issuer, &[]).await;
    account(&story, "ada").await;
    assert!(page_leads_to_provider(&story).await);
    let (browser, _) = comes(&story, "ada").await;
    assert_eq!(browser.viewer().await.as_deref(), Some("ada"));
    assert_eq!(browser.cookie(COOKIE), None, "what was begun is over");
    let sessions = browser.post("{ viewer { sessions { method } } }", &json!({})).await;
    assert_eq!(
        sessions.json().pointer("/data/viewer/sessions/0/method"),
        Some(&json!("OIDC"))
    );
    // The second time by what was linked, and not by the name.
    let (browser, _) = comes(&story, "ada").await;
    assert_eq!(browser.viewer().await.as_deref(), Some("ada"));
    let log = story.admin.get("/events").await.text();
    assert_eq!(log.matches("\"type\":\"IdentityLinked\"").count(), 1);
    assert!(
        !log.contains("subject-of-ada"),
        "the log does not say who somebody is elsewhere"
    );
}

#[tokio::test]
async fn nobody_gets_an_account_that_somebody_has_or_that_nobody_made() {
    let provider = Certified::start().await;
    let story = story(&provider.issuer, &[]).await;
    // The provider calls somebody like an account that has a token.
    for taken in ["admin", "nobody-here"] {
        let (browser, status) = comes(&story, taken).await;
        assert_eq!((status, browser.viewer().await), (403, None), "{taken}");
    }
    story.refusal_is_recorded("no-account", None).await;

    let link = [
        "account",
        "link",
        "admin",
        "--issuer",
        &provider.issuer,
        "--subject",
        "subject-of-admin",
    ];
    story.command_line().run(&link).await;
    let (browser, _) = comes(&story, "admin").await;
    assert_eq!(browser.viewer().await.as_deref(), Some("admin"));
}

#[tokio::test]
async fn whoever_was_invited_gets_an_account_by_coming() {
    let provider = Certified::start().await;
    let story = story(&provider.issuer, &[]).await;
    let role = json!({ "name": "grace", "role": "workspace-viewer", "workspace": story.workspace });
    story.isv.does("inviteMember", role.clone()).await;
    let (browser, _) = comes(&story, "grace").await;
    let accept = json!({ "role": "workspace-viewer", "workspace": story.workspace });
    browser.does("acceptInvitation", accept).await;
    assert_eq!(browser.viewer().await.as_deref(), Some("grace"));
}

#[tokio::test]
async fn anybody_gets_an_account_where_the_operator_says_so_and_nobody_a_blocked_one() {
    let provider = Certified::start().await;
    let options = ["--oidc-creates-accounts", "--oidc-name-claim", "email"];
    let story = story(&provider.issuer, &options).await;
    let (browser, _) = comes(&story, "linus").await;
    assert_eq!(browser.viewer().await.as_deref(), Some("linus@example.com"));
    let seen = browser.post("{ viewer { grants { role } } }", &json!({})).await.json();
    assert_eq!(
        seen["data"]["viewer"]["grants"],
        json!([{ "role": "platform-regular" }])
    );

    let about = story
        .admin
        .ask("{ account(name: \"linus@example.com\") { id } }", json!({}))
        .await;
    let id = text(&about, "/account/id").to_owned();
    story.admin.does("blockAccount", json!({ "account": id })).await;
    let (browser, status) = comes(&story, "linus").await;
    assert_eq!((status, browser.viewer().await), (403, None));
    story.refusal_is_recorded("blocked", Some(&id)).await;
}

#[tokio::test]
async fn a_provider_that_lies_signs_nobody_in_and_auditors_see_what_it_said() {
    let provider = Hostile::start().await;
    let story = story(&provider.issuer, &[]).await;
    account(&story, "ada").await;
    let start = story.server.address().url("/auth/oidc/start");
    for (lie, reason) in [
        (Lie::State, "oidc-state"),
        (Lie::Nonce, "oidc-nonce"),
        (Lie::Audience, "oidc-audience"),
        (Lie::Issuer, "oidc-issuer"),
        (Lie::UnsignedToken, "oidc-algorithm"),
        (Lie::SharedSecret, "oidc-algorithm"),
        (Lie::Expired, "oidc-expired"),
        (Lie::Key, "oidc-signature"),
        (Lie::Altered, "oidc-signature"),
        (Lie::Malformed, "oidc-malformed"),
        (Lie::Refusal, "oidc-provider"),
    ] {
        provider.tells(lie);
        let browser = Browser::new(story.server.address());
        let page = browser.goes_to(&start).await;
        assert_eq!(
            (page.status, page.refusal().code.as_str()),
            (403, "SIGN_IN_REFUSED"),
            "{lie:?}"
        );
        assert_eq!(browser.cookie(SESSION), None, "{lie:?}");
        story.refusal_is_recorded(reason, None).await;
    }
    provider.tells(Lie::None);
    let browser = Browser::new(story.server.address());
    browser.goes_to(&start).await;
    assert_eq!(browser.viewer().await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn what_another_browser_began_is_not_ended_here() {
    let provider = Hostile::start().await;
    let story = story(&provider.issuer, &[]).await;
    account(&story, "ada").await;
    let start = story.server.address().url("/auth/oidc/start");
    let began = Browser::new(story.server.address());
    let sent = began.answer(began.request(Method::GET, &start)).await;
    let back = began.answer(began.request(Method::GET, sent.header("location"))).await;
    let back = back.header("location").to_owned();

    let cookie = began.cookie(COOKIE).expect("it remembers what it began");
    let altered = format!("{}A{}", &cookie[..40], &cookie[41..]);
    let altered = if altered == cookie {
        format!("{}B{}", &cookie[..40], &cookie[41..])
    } else {
        altered
    };
    for other in [None, Some(altered.as_str()), Some("no cookie of this server")] {
        let browser = Browser::new(story.server.address());
        if let Some(cookie) = other {
            browser.set_cookie(COOKIE, cookie);
        }
        let page = browser.goes_to(&back).await;
        assert_eq!((page.status, browser.cookie(SESSION)), (403, None), "{other:?}");
    }
    story.refusal_is_recorded("oidc-state", None).await;
    began.goes_to(&back).await;
    assert_eq!(began.viewer().await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn without_a_provider_there_is_no_such_page() {
    let story = Story::begin().await;
    for page in ["/auth/oidc/start", "/auth/oidc/callback?code=a&state=b"] {
        assert_eq!(story.nobody().get(page).await.status, 404, "{page}");
    }
    assert!(!page_leads_to_provider(&story).await);
}
