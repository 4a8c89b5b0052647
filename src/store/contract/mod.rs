//! What every store promises, as tests that each of them passes: `contract::tests!(Kind)` in its own tests.

pub(crate) mod conversations;
pub(crate) mod credentials;
pub(crate) mod follow_ups;
pub(crate) mod keys;
pub(crate) mod minutes;
pub(crate) mod passes;
pub(crate) mod removal;
pub(crate) mod steps;
pub(crate) mod tasks;
pub(crate) mod turns;
pub(crate) mod unfinished;

use std::{path::Path, sync::Arc};

use tempfile::TempDir;

pub(crate) use super::testing::{Talk, a_choice, an_owner, answered, file, ids};
use crate::{
    queue::{OrderKey, Owner},
    store::{Store, TurnRecord},
    wire::{ConversationId, FileKind, TurnId, TurnState},
};

/// One kind of store.
pub(crate) trait Kind {
    /// Whether it can be tested here; says so where it cannot.
    fn present() -> bool {
        true
    }

    /// The store that is kept in this folder, made where there is none.
    async fn open(folder: &Path) -> Arc<dyn Store>;
}

/// A store in a folder of its own.
struct Fixture {
    store: Arc<dyn Store>,
    folder: TempDir,
}

async fn fixture<K: Kind>() -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    let store = K::open(folder.path()).await;
    Fixture { store, folder }
}

/// Every promise, as a test of one kind of store. A promise that is not listed here is dead code, which the compiler tells.
macro_rules! tests {
    ($kind:ident) => {
        mod contract {
            mod conversations {
                #[tokio::test]
                async fn the_last_used_come_first_page_by_page() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::conversations::the_last_used_come_first_page_by_page::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn the_pinned_come_first_and_the_archived_last() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::conversations::the_pinned_come_first_and_the_archived_last::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn a_conversation_can_be_renamed() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::conversations::a_conversation_can_be_renamed::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn only_the_title_that_is_named_gives_way_to_another() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::conversations::only_the_title_that_is_named_gives_way_to_another::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn what_is_thought_of_an_answer_is_kept_with_it() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::conversations::what_is_thought_of_an_answer_is_kept_with_it::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn what_is_chosen_for_a_conversation_is_kept_with_it() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::conversations::what_is_chosen_for_a_conversation_is_kept_with_it::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn a_choice_is_for_turns_that_wait() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::conversations::a_choice_is_for_turns_that_wait::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn what_is_deleted_is_nowhere_until_it_is_brought_back() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::conversations::what_is_deleted_is_nowhere_until_it_is_brought_back::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn a_message_into_a_deleted_conversation_brings_it_back() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::conversations::a_message_into_a_deleted_conversation_brings_it_back::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn a_search_looks_through_titles_messages_and_answers() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::conversations::a_search_looks_through_titles_messages_and_answers::<super::super::$kind>().await;
                }
            }
            mod credentials {
                #[tokio::test]
                async fn what_is_given_is_kept_replaced_and_removed() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::credentials::what_is_given_is_kept_replaced_and_removed::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn what_a_key_was_given_stays_until_it_is_revoked() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::credentials::what_a_key_was_given_stays_until_it_is_revoked::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn what_was_given_goes_with_its_owner() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::credentials::what_was_given_goes_with_its_owner::<super::super::$kind>().await;
                }
            }
            mod follow_ups {
                #[tokio::test]
                async fn they_come_back_in_their_order_with_their_files_after_a_restart() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::follow_ups::they_come_back_in_their_order_with_their_files_after_a_restart::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn one_is_changed_withdrawn_and_a_turn_from_one_change_on() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::follow_ups::one_is_changed_withdrawn_and_a_turn_from_one_change_on::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn they_are_held_together_and_let_go_together() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::follow_ups::they_are_held_together_and_let_go_together::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn their_files_stay_for_as_long_as_they_do() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::follow_ups::their_files_stay_for_as_long_as_they_do::<super::super::$kind>().await;
                }
            }
            mod minutes {
                #[tokio::test]
                async fn minutes_come_back_as_they_were_kept() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::minutes::minutes_come_back_as_they_were_kept::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn two_parts_of_a_minute_are_one() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::minutes::two_parts_of_a_minute_are_one::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn what_is_older_than_a_week_goes() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::minutes::what_is_older_than_a_week_goes::<super::super::$kind>().await;
                }
            }

            mod keys {
                #[tokio::test]
                async fn a_key_comes_back_as_it_was_made() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::keys::a_key_comes_back_as_it_was_made::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn a_name_is_free_again_once_its_key_is_revoked() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::keys::a_name_is_free_again_once_its_key_is_revoked::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn a_key_is_given_other_rates_and_whoever_looks_finds_out() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::keys::a_key_is_given_other_rates_and_whoever_looks_finds_out::<super::super::$kind>().await;
                }
            }
            mod passes {
                #[tokio::test]
                async fn a_pass_is_used_once_whoever_comes_first() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::passes::a_pass_is_used_once_whoever_comes_first::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn of_two_at_once_one_uses_it() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::passes::of_two_at_once_one_uses_it::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn what_is_over_or_revoked_is_of_no_use() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::passes::what_is_over_or_revoked_is_of_no_use::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn they_go_with_their_conversation_and_with_their_owner() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::passes::they_go_with_their_conversation_and_with_their_owner::<super::super::$kind>().await;
                }
            }
            mod removal {
                #[tokio::test]
                async fn a_purge_removes_what_was_deleted_long_ago() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::removal::a_purge_removes_what_was_deleted_long_ago::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn a_purge_removes_what_was_not_used_for_long() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::removal::a_purge_removes_what_was_not_used_for_long::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn a_purge_takes_many_a_part_at_a_time() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::removal::a_purge_takes_many_a_part_at_a_time::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn forgetting_removes_all_of_one_owner() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::removal::forgetting_removes_all_of_one_owner::<super::super::$kind>().await;
                }
            }
            mod steps {
                #[tokio::test]
                async fn steps_come_back_with_their_turn() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::steps::steps_come_back_with_their_turn::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn leave_is_kept_with_its_conversation() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::steps::leave_is_kept_with_its_conversation::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn what_tools_return_goes_with_its_conversation() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::steps::what_tools_return_goes_with_its_conversation::<super::super::$kind>().await;
                }
            }
            mod tasks {
                #[tokio::test]
                async fn a_batch_is_kept_whole() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::tasks::a_batch_is_kept_whole::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn what_is_sent_again_is_known() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::tasks::what_is_sent_again_is_known::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn a_task_ends_once() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::tasks::a_task_ends_once::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn what_needs_a_task_waits_for_it() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::tasks::what_needs_a_task_waits_for_it::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn what_needs_a_task_comes_to_nothing_with_it() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::tasks::what_needs_a_task_comes_to_nothing_with_it::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn a_whole_batch_is_cancelled() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::tasks::a_whole_batch_is_cancelled::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn what_is_needed_of_before_has_to_be_there() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::tasks::what_is_needed_of_before_has_to_be_there::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn an_owner_has_so_many_open_tasks() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::tasks::an_owner_has_so_many_open_tasks::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn open_tasks_come_in_their_order() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::tasks::open_tasks_come_in_their_order::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn pages_of_tasks_follow_each_other() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::tasks::pages_of_tasks_follow_each_other::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn programs_are_told_until_they_have_been() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::tasks::programs_are_told_until_they_have_been::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn old_batches_are_removed_unless_something_needs_them() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::tasks::old_batches_are_removed_unless_something_needs_them::<super::super::$kind>().await;
                }
            }
            mod turns {
                #[tokio::test]
                async fn a_turn_comes_back_as_it_was_stored() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::turns::a_turn_comes_back_as_it_was_stored::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn what_is_anothers_is_not_found() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::turns::what_is_anothers_is_not_found::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn a_path_is_the_newest_turns_that_lead_to_one() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::turns::a_path_is_the_newest_turns_that_lead_to_one::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn versions_are_turns_that_follow_the_same_one() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::turns::versions_are_turns_that_follow_the_same_one::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn accepting_again_makes_no_second_turn() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::turns::accepting_again_makes_no_second_turn::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn a_turn_that_follows_none_that_is_there_is_refused_whole() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::turns::a_turn_that_follows_none_that_is_there_is_refused_whole::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn an_update_of_what_is_not_there_is_no_error() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::turns::an_update_of_what_is_not_there_is_no_error::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn files_belong_to_their_owner() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::turns::files_belong_to_their_owner::<super::super::$kind>().await;
                }
            }
            mod unfinished {
                #[tokio::test]
                async fn their_places_are_their_order_and_those_without_one_come_first() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::unfinished::their_places_are_their_order_and_those_without_one_come_first::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn an_unfinished_turn_comes_with_its_conversation_versions_and_place() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::unfinished::an_unfinished_turn_comes_with_its_conversation_versions_and_place::<super::super::$kind>().await;
                }

                #[tokio::test]
                async fn places_are_stored_anew() {
                    if !<super::super::$kind as $crate::store::contract::Kind>::present() {
                        return;
                    }
                    $crate::store::contract::unfinished::places_are_stored_anew::<super::super::$kind>().await;
                }
            }
        }
    };
}

pub(crate) use tests;
