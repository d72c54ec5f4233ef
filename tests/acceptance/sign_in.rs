//! Passwords and sessions: people sign in from browsers, and nobody else does.

use harness::{Person, Story, browser::Browser, list, text};
use reqwest::{Method, header};
use serde_json::{Value, json};

const PASSWORD: &str = "seven herons over grey water";
const ANOTHER: &str = "nine lamps on cold stairs";
const COOKIE: &str = "__Host-charthouse-session";
const WHO: &str = "{ viewer { account { name } } }";

/// Somebody new with a password, and the account's id.
async fn ada(story: &Story) -> (Browser, String) {
    let input = json!({ "name": "ada", "role": "platform-regular", "password": PASSWORD });
    let made = story.admin.does("createAccount", input).await;
    let browser = Browser::new(story.server.address());
    (browser, text(&made, "/account/id").to_owned())
}

async fn signed_in(story: &Story) -> (Browser, String) {
    let (browser, account) = ada(story).await;
    browser.sign_in("ada", PASSWORD).await.expect("the password is right");
    (browser, account)
}

#[tokio::test]
async fn somebody_signs_in_is_who_they_are_and_signs_out() {
    let story = Story::begin().await;
    let (browser, account) = ada(&story).await;
    assert_eq!(browser.viewer().await, None);
    let signed_in = browser.sign_in("ada", PASSWORD).await.unwrap();
    assert_eq!(text(&signed_in, "/account/id"), account);
    assert_eq!(text(&signed_in, "/session/method"), "PASSWORD");
    assert_eq!(browser.viewer().await.as_deref(), Some("ada"));

    let stolen = browser.cookie(COOKIE).unwrap();
    browser.does("signOut", json!({})).await;
    assert_eq!(browser.cookie(COOKIE), None, "the cookie is taken away");
    assert_eq!(browser.viewer().await, None);
    // Nor does it open anything for whoever kept it; and that one is rid of it too.
    browser.set_cookie(COOKIE, &stolen);
    let answer = browser.post(WHO, &json!({})).await;
    assert_eq!(
        (answer.status, answer.header("set-cookie").contains("Max-Age=0")),
        (401, true)
    );
    story.refusal_is_recorded("unknown-session", None).await;
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_from_other_hosts_and_from_plain_connections() {
    let story = Story::begin().await;
    let (browser, _) = ada(&story).await;
    let document = "mutation($input: SignInInput!) { signIn(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "name": "ada", "password": PASSWORD } });
    let answer = browser.post(document, &input).await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with(COOKIE), "{cookie}");
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=43200"] {
        assert!(
            cookie.split("; ").any(|it| it == attribute),
            "{attribute} is not in {cookie}"
        );
    }
    assert!(!cookie.contains("Domain"));
    let in_body = browser.cookie(COOKIE).unwrap();
    assert!(!answer.text().contains(&in_body), "no script sees the secret");
}

#[tokio::test]
async fn whoever_fails_learns_nothing_by_it_and_auditors_learn_why() {
    let story = Story::begin().await;
    let (browser, account) = ada(&story).await;
    let blocked = json!({ "name": "blocked", "password": PASSWORD });
    let blocked = story.admin.does("createAccount", blocked).await;
    let blocked = text(&blocked, "/account/id").to_owned();
    story.admin.does("blockAccount", json!({ "account": blocked })).await;

    let document = "mutation($input: SignInInput!) { signIn(input: $input) { account { id } session { id } position \
                    userErrors { code message path } } }";
    let mut answers = vec![];
    for (name, password) in [
        ("ada", "not the password"),
        ("nobody", PASSWORD),
        ("blocked", PASSWORD),
        // An account that has tokens only.
        ("isv", PASSWORD),
        ("No Name At All", PASSWORD),
        ("ada", ""),
    ] {
        let input = json!({ "input": { "name": name, "password": password } });
        let mut answer = browser.post(document, &input).await;
        answer.headers.remove(header::DATE);
        let text = answer.text();
        answers.push((answer.status, answer.headers, text));
    }
    assert!(answers[0].2.contains("SIGN_IN_FAILED"), "{}", answers[0].2);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");

    story.refusal_is_recorded("wrong-password", Some(&account)).await;
    story.refusal_is_recorded("blocked", Some(&blocked)).await;
    story.refusal_is_recorded("unknown-name", None).await;
    let isv = story.admin.ask("{ account(name: \"isv\") { id } }", json!({})).await;
    story
        .refusal_is_recorded("no-password", Some(text(&isv, "/account/id")))
        .await;
}

#[tokio::test]
async fn a_weak_password_is_refused_with_the_rule_it_breaks() {
    let story = Story::begin().await;
    let (browser, _) = signed_in(&story).await;
    let set = |password: &str| json!({ "presentPassword": PASSWORD, "password": password });
    for (password, code, words) in [
        ("elevenchars", "PASSWORD_LENGTH", &["11", "12", "128"][..]),
        ("password1234", "PASSWORD_COMMON", &["10^8"]),
        ("qwertyuiop1234", "PASSWORD_COMMON", &[]),
    ] {
        browser
            .attempt("setPassword", set(password))
            .await
            .unwrap_err()
            .says(code, words);
    }
    let named = json!({ "name": "heron-keeper", "password": "seven Heron-Keepers over water" });
    story
        .admin
        .is_refused("createAccount", named)
        .await
        .says("PASSWORD_HOLDS_NAME", &[]);
    assert_eq!(browser.viewer().await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_new_password_needs_the_present_one_and_ends_the_other_sessions() {
    let story = Story::begin().await;
    let (here, _) = signed_in(&story).await;
    let elsewhere = Browser::new(story.server.address());
    elsewhere.sign_in("ada", PASSWORD).await.unwrap();

    for wrong in [
        json!({ "password": ANOTHER }),
        json!({ "presentPassword": "wrong", "password": ANOTHER }),
    ] {
        here.attempt("setPassword", wrong)
            .await
            .unwrap_err()
            .says("PASSWORD_WRONG", &[]);
    }
    assert!(elsewhere.viewer().await.is_some());
    here.does(
        "setPassword",
        json!({ "presentPassword": PASSWORD, "password": ANOTHER }),
    )
    .await;
    assert_eq!(here.viewer().await.as_deref(), Some("ada"));
    assert_eq!(elsewhere.viewer().await, None);
    elsewhere
        .sign_in("ada", PASSWORD)
        .await
        .unwrap_err()
        .says("SIGN_IN_FAILED", &[]);
    elsewhere.sign_in("ada", ANOTHER).await.unwrap();
}

#[tokio::test]
async fn an_administrator_sets_a_forgotten_password_but_not_one_of_somebody_above_them() {
    let story = Story::begin().await;
    let (browser, account) = signed_in(&story).await;
    story
        .admin
        .does("resetPassword", json!({ "account": account, "password": ANOTHER }))
        .await;
    assert_eq!(browser.viewer().await, None, "whoever was signed in is not any more");
    browser.sign_in("ada", ANOTHER).await.unwrap();

    // Whoever opens an account may do what it may.
    let admin = story.command_line();
    admin
        .run(&["role", "define", "registrar", "--permission", "account.manage"])
        .await;
    let token = admin.person("registrar", &[&["registrar"]]).await;
    let registrar = Person::new("registrar", &token, story.server.address());
    let above = registrar.ask("{ account(name: \"admin\") { id } }", json!({})).await;
    let above = text(&above, "/account/id");
    for (mutation, input) in [
        ("resetPassword", json!({ "account": above, "password": ANOTHER })),
        ("blockAccount", json!({ "account": above })),
    ] {
        registrar
            .is_refused(mutation, input)
            .await
            .says("EXCEEDS_OWN_RIGHTS", &[]);
    }
}

#[tokio::test]
async fn sessions_are_seen_and_closed_from_elsewhere_by_their_owner_alone() {
    let story = Story::begin().await;
    let (here, _) = signed_in(&story).await;
    let elsewhere = Browser::new(story.server.address());
    let other = elsewhere.sign_in("ada", PASSWORD).await.unwrap();
    let listed = here
        .post("{ viewer { sessions { id isCurrent method expiresAt } } }", &json!({}))
        .await
        .json();
    let sessions = list(&listed, "/data/viewer/sessions");
    assert_eq!(
        sessions.iter().map(|it| it["isCurrent"].clone()).collect::<Vec<_>>(),
        [json!(false), json!(true)]
    );

    let close = json!({ "session": text(&other, "/session/id") });
    story
        .stranger
        .is_refused("closeSession", close.clone())
        .await
        .says("NOT_FOUND", &["session"]);
    here.does("closeSession", close).await;
    assert_eq!(elsewhere.viewer().await, None);
    assert_eq!(here.viewer().await.as_deref(), Some("ada"));
    story
        .isv
        .is_refused("signOut", json!({}))
        .await
        .says("NO_SESSION", &["revokeToken"]);
}

#[tokio::test]
async fn a_session_ends_by_its_time_and_that_it_was_tried_after_is_recorded() {
    let story = Story::begin_with(&["--session-lifetime", "1ms"]).await;
    let (browser, account) = ada(&story).await;
    let document = "mutation($input: SignInInput!) { signIn(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "name": "ada", "password": PASSWORD } });
    let given = browser.post(document, &input).await;
    // A browser that does not keep time goes on sending it.
    let (_, secret) = given.header("set-cookie").split_once('=').expect("a cookie is given");
    browser.set_cookie(COOKIE, secret.split(';').next().unwrap_or_default());
    assert_eq!(browser.viewer().await, None);
    story.refusal_is_recorded("expired-session", Some(&account)).await;
}

#[tokio::test]
async fn a_blocked_account_is_out_at_once_and_its_sessions_do_not_come_back() {
    let story = Story::begin().await;
    let (browser, account) = signed_in(&story).await;
    let made = browser.does("createToken", json!({ "name": "ci" })).await;
    let machine = Person::new("machine", text(&made, "/secret"), story.server.address());
    machine.ask(WHO, json!({})).await;
    story.admin.does("blockAccount", json!({ "account": account })).await;
    assert_eq!(browser.viewer().await, None);
    machine.is_denied(WHO, json!({})).await.says("UNAUTHENTICATED", &[]);
    story.admin.does("unblockAccount", json!({ "account": account })).await;
    machine.ask(WHO, json!({})).await;
    assert_eq!(browser.viewer().await, None);
    browser.sign_in("ada", PASSWORD).await.unwrap();

    let last = story.admin.ask("{ viewer { account { id } } }", json!({})).await;
    let last = json!({ "account": text(&last, "/viewer/account/id") });
    story
        .admin
        .is_refused("blockAccount", last)
        .await
        .says("LAST_ADMINISTRATOR", &[]);
}

#[tokio::test]
async fn no_page_of_somebody_else_acts_for_whoever_is_signed_in() {
    let story = Story::begin().await;
    let (browser, _) = signed_in(&story).await;
    let url = |path: &str| story.server.address().url(path);
    let own = url("");
    let ask = || browser.graphql(WHO, &json!({}));
    let status = async |request| browser.answer(request).await.status;
    assert_eq!(status(ask().header("origin", own.as_str())).await, 200);
    assert_eq!(status(ask().header("sec-fetch-site", "same-origin")).await, 200);
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("x-nothing", "said"),
    ] {
        let answer = browser.answer(ask().header(name, value)).await;
        assert_eq!(
            (answer.status, answer.refusal().code.as_str()),
            (403, "FOREIGN_ORIGIN"),
            "{name}: {value}"
        );
    }
    assert_eq!(
        status(browser.request(Method::POST, &url("/uploads?workspace=x&kind=chart"))).await,
        403
    );

    // What is recorded is not started by a link from elsewhere; who typed its address is asked what they may do.
    for (site, code) in [
        ("cross-site", "FOREIGN_ORIGIN"),
        ("same-site", "FOREIGN_ORIGIN"),
        ("none", "FORBIDDEN"),
    ] {
        let export = browser.request(Method::GET, &url("/exports/decisions.csv"));
        let answer = browser.answer(export.header("sec-fetch-site", site)).await;
        assert_eq!(answer.refusal().code, code, "{site}");
    }

    let handshake = || {
        let request = browser.request(Method::GET, &url("/graphql/ws"));
        let request = request.header("connection", "upgrade").header("upgrade", "websocket");
        let request = request
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==");
        request.header("sec-websocket-protocol", "graphql-transport-ws")
    };
    assert_eq!(status(handshake().header("origin", own.as_str())).await, 101);
    assert_eq!(status(handshake().header("origin", "https://evil.example")).await, 403);
    assert_eq!(status(handshake()).await, 403);
    story.refusal_is_recorded("foreign-origin", None).await;
}

#[tokio::test]
async fn who_tries_too_often_is_told_when_to_try_again_and_nobody_else_is_kept_out() {
    let story = Story::begin_with(&["--sign-in-attempts-max", "3"]).await;
    let (browser, _) = ada(&story).await;
    let other = json!({ "name": "grace", "password": PASSWORD });
    story.admin.does("createAccount", other).await;
    for _ in 0..3 {
        browser
            .sign_in("ada", "not the password")
            .await
            .unwrap_err()
            .says("SIGN_IN_FAILED", &[]);
    }
    let document =
        "mutation { signIn(input: { name: \"ada\", password: \"seven herons over grey water\" }) { position } }";
    let answer = browser.post(document, &json!({})).await;
    let error = answer.json()["errors"][0].clone();
    assert_eq!(text(&error, "/extensions/code"), "SIGN_IN_TOO_OFTEN");
    let seconds = error["extensions"]["retryAfterSeconds"].as_u64().unwrap();
    assert!((1..=61).contains(&seconds), "{seconds}");
    assert_eq!(answer.header("retry-after"), seconds.to_string());
    browser.sign_in("grace", PASSWORD).await.unwrap();
    story.refusal_is_recorded("too-often", None).await;
}

/// The numbers of the failed attempts that are recorded.
async fn recorded_attempts(story: &Story) -> Vec<u64> {
    let events = "{ auditTrail(filter: { event: \"SignInRefused\" }, first: 100) { nodes { data } } }";
    let found = story.admin.ask(events, json!({})).await;
    let counts = list(&found, "/auditTrail/nodes")
        .iter()
        .map(|node| text(node, "/data/count"));
    counts.map(|count| count.parse().expect("a number")).collect()
}

#[tokio::test]
async fn many_failed_attempts_leave_few_events_with_their_number() {
    let mut story = Story::begin().await;
    let machine = Person::new("machine", "charthouse_of-nobody", story.server.address());
    for _ in 0..200 {
        machine.is_denied(WHO, json!({})).await;
    }
    // What is counted while the records pause is recorded when the server stops.
    story.server.stop().await;
    story.server.start_again().await;
    let counts = recorded_attempts(&story).await;
    assert_eq!(counts.iter().sum::<u64>(), 200);
    assert!(counts.len() <= 62, "{}", counts.len());
}

#[tokio::test]
async fn the_first_administrator_gets_a_password_from_the_command_line_and_the_rest_from_the_api() {
    let story = Story::begin().await;
    let drawn = story.command_line().run(&["account", "password", "admin"]).await;
    let drawn = text(&drawn, "/password").to_owned();
    let admin = Browser::new(story.server.address());
    admin.sign_in("admin", &drawn).await.unwrap();
    let people = [
        ("isv-2", "workspace-admin"),
        ("developer", "workspace-regular"),
        ("onlooker", "workspace-viewer"),
    ];
    for (name, role) in people {
        let made = admin
            .does("createAccount", json!({ "name": name, "password": PASSWORD }))
            .await;
        let account = text(&made, "/account/id");
        let grant = json!({ "account": account, "role": role, "workspace": story.workspace });
        match role {
            "workspace-admin" => drop(admin.does("grantRole", grant).await),
            _ => drop(
                story
                    .isv
                    .does(
                        "inviteMember",
                        json!({ "name": name, "role": role, "workspace": story.workspace }),
                    )
                    .await,
            ),
        }
        let browser = Browser::new(story.server.address());
        browser.sign_in(name, PASSWORD).await.unwrap();
        if role != "workspace-admin" {
            browser
                .does(
                    "acceptInvitation",
                    json!({ "role": role, "workspace": story.workspace }),
                )
                .await;
        }
        let seen = browser
            .post("{ viewer { workspaces { name } } }", &json!({}))
            .await
            .json();
        assert_eq!(
            seen["data"]["viewer"]["workspaces"],
            json!([{ "name": "acme" }]),
            "{name}"
        );
    }
}

#[tokio::test]
async fn whoever_accepts_an_invitation_with_a_token_can_come_back_with_a_password() {
    let story = Story::begin().await;
    let invited = json!({ "name": "stranger", "role": "workspace-viewer", "workspace": story.workspace });
    story.isv.does("inviteMember", invited).await;
    let weak = json!({ "role": "workspace-viewer", "workspace": story.workspace, "password": "weak" });
    story
        .stranger
        .is_refused("acceptInvitation", weak)
        .await
        .says("PASSWORD_LENGTH", &["4"]);
    let accept = json!({ "role": "workspace-viewer", "workspace": story.workspace, "password": PASSWORD });
    story.stranger.does("acceptInvitation", accept).await;
    let browser = Browser::new(story.server.address());
    browser.sign_in("stranger", PASSWORD).await.unwrap();
    assert_eq!(browser.viewer().await.as_deref(), Some("stranger"));
}

#[tokio::test]
async fn a_password_leaves_no_trace_in_the_log_and_none_of_an_erased_person_opens_anything() {
    let story = Story::begin().await;
    let (browser, account) = signed_in(&story).await;
    story
        .admin
        .does("eraseAccount", json!({ "account": account, "name": "ada" }))
        .await;
    assert_eq!(browser.viewer().await, None);
    browser
        .sign_in("ada", PASSWORD)
        .await
        .unwrap_err()
        .says("SIGN_IN_FAILED", &[]);
    let log = story.admin.get("/events").await.text();
    for word in [
        PASSWORD,
        "argon2",
        "ada\"",
        &browser.cookie(COOKIE).unwrap_or_else(|| "no cookie".to_owned()),
    ] {
        assert!(!log.contains(word), "the log says {word}");
    }
    let set = log
        .lines()
        .find(|line| line.contains("PasswordSet"))
        .expect("it was set");
    let set: Value = serde_json::from_str(set).unwrap();
    assert!(text(&set, "/data/password/subject").starts_with("account-"));
}
