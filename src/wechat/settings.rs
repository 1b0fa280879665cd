//! What a cache is told, and what it makes of that.

use super::fetch::Fetcher;
use super::fleet::{Member, Shared};
use super::server::{GenAuthServer, timeout_of, usual_operation};
use super::slot::Slot;
use super::store::Store;
use super::windows::Windows;
use crate::Client;
use crate::types::GetWechatAccessTokenDto;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct CacheSettings {
    client: Client,
    /// An `operationId`.
    pub(super) operation: String,
    pub(super) windows: Windows,
    pub(super) store: Option<Arc<dyn Store>>,
}

impl CacheSettings {
    pub(super) fn new(client: Client) -> Self {
        let longest_wait = timeout_of(&client).saturating_add(Duration::from_secs(2));
        let windows = Windows { longest_wait, ..Windows::default() };
        Self { operation: usual_operation(&client).to_owned(), windows, client, store: None }
    }

    /// What holds the token of one WeChat app.
    pub(super) fn slot(&self, app: &GetWechatAccessTokenDto) -> Slot {
        let Self { client, operation, windows, store } = self;
        let server = GenAuthServer { client: client.clone(), operation: operation.clone(), app: app.clone() };
        let shared = store.clone().map(|store| Shared::new(store, &server.token_id(), timeout_of(client)));
        let now = server.clock();
        let fetcher = Fetcher::new(Box::new(server), now, windows.clone());
        Slot::new(app.clone(), Member { fetcher, shared }, self.patience())
    }

    /// How long a refresh takes at most: waiting for another process and a call; the rest is for the store.
    fn patience(&self) -> Duration {
        let rest = self.windows.pause.saturating_mul(2).saturating_add(Duration::from_secs(15));
        // Its answers, and a process that died.
        let stores = self.store.as_ref().map(|store| store.timeout().saturating_mul(4).saturating_add(store.lease()));
        timeout_of(&self.client).saturating_mul(2).saturating_add(rest).saturating_add(stores.unwrap_or_default())
    }

    /// How long what is under way takes at most to end.
    pub(super) fn farewell(&self) -> Duration {
        let stores = self.store.as_ref().map(|store| store.timeout());
        Duration::from_secs(1).saturating_add(stores.unwrap_or_default())
    }
}
