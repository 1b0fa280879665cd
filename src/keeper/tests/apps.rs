//! Many apps: which are kept, and for how long.

use super::*;
use crate::keeper::keepers::Keepers;

fn slot(slots: &Arc<Keepers>, server: &Server, app: GetWechatAccessTokenDto) -> Arc<Keeper> {
    slots.keeper(&app.app_id, &app.app_secret, || server.slot_of(app.clone(), Windows::default()))
}

/// Keepers used to stay for ever, secrets included, until new ones came.
#[tokio::test(start_paused = true)]
async fn apps_that_were_asked_for_once_go_when_their_tokens_have_ended() {
    let server = Server::renewing();
    let slots = Arc::<Keepers>::default();
    let gone = Arc::downgrade(&slot(&slots, &server, app(0)));
    for number in 0..1000 {
        get(&slot(&slots, &server, app(number))).await.unwrap();
    }
    let kept = slot(&slots, &server, app(7));
    assert_eq!((slots.all().len(), server.requests()), (1000, 1000));
    pass(7000.0).await;
    assert_eq!(slots.all().len(), 1000, "while their tokens are good");
    pass(400.0).await;
    let left = slots.all();
    assert!(left.len() == 1 && Arc::ptr_eq(&left[0], &kept), "{} are left", left.len());
    assert!(gone.upgrade().is_none());
    drop((left, kept));
    pass(61.0).await;
    assert_eq!(slots.all().len(), 0);
    // The apps come again, and go again.
    get(&slot(&slots, &server, app(0))).await.unwrap();
    pass(7300.0).await;
    assert_eq!((slots.all().len(), server.requests()), (0, 1001));
    drop(slots);
    settle().await;
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_wechat_rejected_is_not_forgotten_with_its_app() {
    let server = Server::new(|number| token(if number < 3 { "t1" } else { "t2" }, LIFETIME));
    let slots = Arc::<Keepers>::default();
    let asked = slot(&slots, &server, app(0));
    asked.invalidate(&asked.get().await.unwrap());
    drop(asked);
    pass(200.0).await;
    assert_eq!(get(&slot(&slots, &server, app(0))).await, Err(ErrorKind::UnusableToken));
    pass(200.0).await;
    assert_eq!(get(&slot(&slots, &server, app(0))).await, Ok("t2".to_owned()));
}

#[test]
fn an_app_is_its_id_and_its_secret_and_all_threads_get_the_same_slot() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let server = runtime.block_on(async { Server::renewing() });
    let slots = Arc::<Keepers>::default();
    let rotated = GetWechatAccessTokenDto { app_secret: "rotated".into(), ..app(0) };
    assert!(!Arc::ptr_eq(&slot(&slots, &server, app(0)), &slot(&slots, &server, rotated)));
    let ask = || (0..500).map(|number| slot(&slots, &server, app(number))).collect::<Vec<_>>();
    let asked: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for others in &asked[1..] {
        assert!(asked[0].iter().zip(others).all(|(one, other)| Arc::ptr_eq(one, other)));
    }
    assert_eq!(slots.all().len(), 501);
}

/// The sweeper and the refreshes were on a runtime that is gone.
#[test]
fn apps_go_whatever_became_of_the_runtime_that_met_them() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (first, second) = (runtime(), runtime());
    let server = first.block_on(async { Server::renewing() });
    let slots = Arc::<Keepers>::default();
    first.block_on(async {
        for number in 0..10 {
            get(&slot(&slots, &server, app(number))).await.unwrap();
        }
        for number in 10..20 {
            let asked = slot(&slots, &server, app(number));
            tokio::time::timeout(Duration::from_millis(10), get(&asked)).await.unwrap_err();
        }
        // Every token is dead from here on, and no caller has come.
        server.0.our_clock.store(100_000, Ordering::SeqCst);
    });
    drop(first);
    second.block_on(async {
        pass(1.0).await;
        let _ = get(&slot(&slots, &server, app(0))).await;
        pass(130.0).await;
        assert_eq!(slots.all().len(), 1);
    });
}
