//! What the event store promises, whatever database is under it.
//!
//! A promise is a function over an open [`Log`]. Each backend runs them all, and adds what only it
//! can do wrong in a module of its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a promise that is not kept ends the test"
)]

mod appending;
mod commands;
mod copying;
mod faults;
mod fixture;
mod integrity;
mod opening;
mod postgres;
#[path = "../support/postgres.rs"]
mod postgres_server;
mod publishing;
mod reading;
mod restoring;
mod sealing;
mod sighting;
mod sqlite;
mod timing;

use fixture::Log;

macro_rules! keeps {
    ($backend:ident: $($module:ident { $($promise:ident,)* })*) => {
        mod $backend {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    crate::$module::$promise(&crate::Log::$backend().await).await;
                })*
            })*
        }
    };
}

macro_rules! contract {
    ($($backend:ident)*) => {
        mod contract {
            $(keeps! { $backend:
                appending {
                    positions_count_from_zero_in_the_order_of_the_writes,
                    a_conflict_names_the_stream_and_its_revision,
                    a_guard_holds_without_writing,
                    a_moved_guard_refuses_the_whole_append,
                    an_append_is_stored_whole_or_not_at_all,
                    losers_do_not_hurt_others,
                    thirty_two_writers_leave_no_gap_for_a_tailing_reader,
                    an_append_without_events_is_refused,
                    a_stream_is_written_once_in_an_append,
                    an_actor_that_is_no_name_is_refused,
                    a_leaf_that_is_too_large_is_refused,
                    a_name_that_is_taken_is_a_conflict,
                    the_root_covers_every_leaf,
                    a_closed_store_refuses,
                    an_event_of_a_type_nobody_knows_is_stored_and_read,
                }
                integrity {
                    events_are_never_altered,
                    an_event_id_is_used_once,
                    a_request_that_breaks_a_batch_hurts_only_itself,
                    a_request_that_breaks_the_commit_hurts_only_itself,
                    an_older_program_stops_when_a_newer_one_takes_over,
                    a_log_that_was_exchanged_is_not_appended_to,
                }
                opening {
                    a_reader_follows_what_another_appends,
                    a_log_nobody_appends_to_can_be_read,
                    a_missing_log_is_not_made_by_reading,
                    a_newer_schema_is_left_untouched,
                    an_older_schema_is_left_untouched,
                    a_database_of_another_program_is_left_untouched,
                }
                commands {
                    a_command_given_again_is_answered_what_it_was_answered,
                    a_command_is_known_again_whatever_its_actor_is_called,
                    a_command_id_is_not_used_for_another_request,
                    command_ids_of_others_do_not_matter,
                    one_of_many_equal_commands_lands,
                    a_command_that_changed_nothing_is_remembered_for_a_day,
                    a_refused_command_leaves_no_answer,
                }
                sighting {
                    what_was_seen_is_known_by_its_latest_sighting,
                }
                publishing {
                    what_is_published_proves_the_log,
                    any_process_may_publish_the_same_log,
                    a_new_epoch_is_published_beside_the_old_one,
                    a_log_that_was_altered_is_found_out,
                }
                reading {
                    a_stream_is_read_past_a_revision,
                    the_log_is_read_in_pages,
                    events_are_read_by_their_positions,
                    an_event_is_read_as_it_was_acknowledged,
                    a_subscription_catches_up_and_then_goes_live,
                    a_subscription_hands_over_thousands_of_events_in_order,
                    a_subscription_ends_with_an_error_when_the_store_closes,
                    what_was_acknowledged_is_there_after_opening_again,
                }
                copying {
                    a_copy_is_the_log_wherever_it_is_restored,
                    a_restored_log_knows_the_commands_it_answered,
                    a_copy_made_beside_appends_is_of_one_moment,
                    a_copy_is_made_of_a_log_that_is_open_for_reading,
                    an_altered_copy_is_told_from_a_truncated_one,
                    what_is_no_copy_is_refused,
                    a_copy_is_restored_only_into_an_empty_place,
                }
                restoring {
                    a_log_restored_to_an_older_state_begins_a_new_epoch,
                    a_restored_log_that_went_on_differently_begins_a_new_epoch,
                    a_log_that_holds_all_that_is_remembered_goes_on,
                    a_reader_refuses_a_restored_log,
                    another_log_than_the_remembered_one_is_refused,
                }
                timing {
                    time_never_goes_back,
                    a_clock_that_jumped_ahead_stops_appends_until_it_is_accepted,
                    a_clock_that_passes_time_is_believed,
                }
                sealing {
                    what_is_sealed_can_be_unsealed,
                    a_sealed_text_opens_for_its_subject_only,
                    an_entry_that_was_never_made_is_missing,
                    many_are_unsealed_in_the_order_they_are_asked_for,
                    first_seals_at_once_share_one_key,
                    another_master_key_is_refused,
                    sealing_and_appending_go_on_beside_each_other,
                    a_destroyed_key_leaves_nothing_to_read_and_makes_no_new_one,
                    an_altered_entry_is_not_unsealed,
                    a_subject_that_was_erased_before_it_had_a_key_never_gets_one,
                    keys_are_brought_under_a_new_master_key,
                    wrapping_anew_goes_on_where_it_was_broken_off,
                    a_key_that_is_destroyed_while_it_is_wrapped_anew_stays_destroyed,
                }
            })*
        }
    };
}

contract! { sqlite postgres }
