//! Whether a site's cookies are still understood.

use super::*;

#[tokio::test]
async fn a_site_with_somebody_in_it_keeps_its_key() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let address = cluster.url(&cluster.database());
    let store = open(&address).await;
    assert_eq!(store.admits_key("first").await, Ok(true));
    assert_eq!(
        store.admits_key("second").await,
        Ok(true),
        "nobody is there who would mind"
    );
    Talk::new(an_owner(), "Title").say(&store, None, "hello").await;
    assert_eq!(store.admits_key("second").await, Ok(true));
    assert_eq!(store.admits_key("first").await, Ok(false));
    store.close().await;
    let store = open(&address).await;
    assert_eq!(store.admits_key("first").await, Ok(false));
    assert_eq!(store.admits_key("second").await, Ok(true));
}
