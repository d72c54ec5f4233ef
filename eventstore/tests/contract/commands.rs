use std::time::Duration;

use eventstore::{Answer, AppendError, Position};
use futures_util::future::join_all;

use crate::fixture::{Log, append, by_command, fresh_id, note, write};

pub(crate) async fn a_command_given_again_is_answered_what_it_was_answered(log: &Log) {
    let id = fresh_id();
    let made = append(vec![write("app-1", 0, &["Made", "Named"])]);
    log.store.append(by_command(made, "ada", id, 1)).await.unwrap();
    let first = Answer {
        request: [1; 32],
        position: Position::new(1),
        events: 2,
    };
    assert_eq!(log.store.answer_to("ada", id).await.unwrap(), Some(first));

    // The stream moved on, and still the answer is not a conflict.
    log.store.append(note("app-1", 2)).await.unwrap();
    let again = log
        .store
        .append(by_command(note("app-1", 0), "ada", id, 1))
        .await
        .unwrap_err();
    assert!(matches!(again, AppendError::AlreadyDone(answer) if answer == first));
    let remembered = log
        .store
        .remember_unchanged("ada", id, [1; 32], Position::new(2))
        .await
        .unwrap();
    assert_eq!(remembered, first);
}

pub(crate) async fn a_command_is_known_again_whatever_its_actor_is_called(log: &Log) {
    let actors = [
        "O'Hara",
        "a\\",
        "\\'",
        "x'); DROP TABLE event; --",
        "$$",
        "Ådä 🦀",
        "\"",
        "{a,b}",
    ];
    for (actor, expected) in actors.into_iter().zip(0..) {
        let (id, made) = (fresh_id(), note("app-1", expected));
        let appended = log.store.append(by_command(made, actor, id, 1)).await.unwrap();
        assert_eq!(appended.events[0].envelope().unwrap().actor, actor);
        let again = by_command(note("app-1", expected + 1), actor, id, 1);
        let again = log.store.append(again).await.unwrap_err();
        assert!(matches!(again, AppendError::AlreadyDone(_)), "{actor}: {again}");
    }
    assert_eq!(log.store.head().await.unwrap().size, actors.len() as u64);
}

pub(crate) async fn a_command_id_is_not_used_for_another_request(log: &Log) {
    let id = fresh_id();
    log.store
        .append(by_command(note("app-1", 0), "ada", id, 1))
        .await
        .unwrap();
    let other = log.store.append(by_command(note("app-1", 1), "ada", id, 2)).await;
    assert!(matches!(other, Err(AppendError::CommandReused)));
    let unchanged = log.store.remember_unchanged("ada", id, [2; 32], Position::START).await;
    assert!(matches!(unchanged, Err(AppendError::CommandReused)));
    assert_eq!(log.store.head().await.unwrap().size, 1);
}

pub(crate) async fn command_ids_of_others_do_not_matter(log: &Log) {
    let id = fresh_id();
    log.store
        .append(by_command(note("app-1", 0), "ada", id, 1))
        .await
        .unwrap();
    log.store
        .append(by_command(note("app-1", 1), "grace", id, 2))
        .await
        .unwrap();
    assert_eq!(log.store.answer_to("linus", id).await.unwrap(), None);
}

pub(crate) async fn one_of_many_equal_commands_lands(log: &Log) {
    let id = fresh_id();
    let outcomes = join_all((0..40).map(|_| log.store.append(by_command(note("app-1", 0), "ada", id, 1)))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for refused in outcomes.into_iter().filter_map(Result::err) {
        assert!(matches!(refused, AppendError::AlreadyDone(answer) if answer.events == 1));
    }
}

pub(crate) async fn a_command_that_changed_nothing_is_remembered_for_a_day(log: &Log) {
    let hour = Duration::from_secs(3600);
    let (id, at) = (fresh_id(), Position::new(41));
    let answer = log.store.remember_unchanged("ada", id, [1; 32], at).await.unwrap();
    assert_eq!(
        answer,
        Answer {
            request: [1; 32],
            position: at,
            events: 0
        }
    );
    let landed = log
        .store
        .append(by_command(note("app-1", 0), "ada", id, 1))
        .await
        .unwrap_err();
    assert!(matches!(landed, AppendError::AlreadyDone(earlier) if earlier == answer));

    log.clock.pass(23 * hour);
    log.store
        .remember_unchanged("ada", fresh_id(), [1; 32], at)
        .await
        .unwrap();
    assert_eq!(log.store.answer_to("ada", id).await.unwrap(), Some(answer));
    log.clock.pass(2 * hour);
    log.store
        .remember_unchanged("ada", fresh_id(), [1; 32], at)
        .await
        .unwrap();
    assert_eq!(log.store.answer_to("ada", id).await.unwrap(), None);
}

pub(crate) async fn a_refused_command_leaves_no_answer(log: &Log) {
    let id = fresh_id();
    log.store
        .append(by_command(note("app-1", 5), "ada", id, 1))
        .await
        .unwrap_err();
    assert_eq!(log.store.answer_to("ada", id).await.unwrap(), None);
    log.store
        .append(by_command(note("app-1", 0), "ada", id, 1))
        .await
        .unwrap();
}
