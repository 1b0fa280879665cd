// COUNT callers of a library, each without a token of its own. Prints each token once, and fails if a caller gets none.
//
//     BASE=http://127.0.0.1:4020 APPID=... SECRET=... COUNT=1000 NODE_PATH=... node client.js co-wechat-api|node-easywechat

const { BASE, APPID, SECRET, COUNT } = process.env;

function co_wechat_api() {
  const WechatAPI = require('co-wechat-api');
  return async () => {
    const api = new WechatAPI(APPID, SECRET);
    api.prefix = `${BASE}/cgi-bin/`; // the one address
    return (await api.getAccessToken()).accessToken;
  };
}

function node_easywechat() {
  const { OfficialAccount } = require('node-easywechat');
  // It keeps tokens in a file otherwise, for all callers in a folder.
  const nothing = { get: async () => null, set: async () => true, has: async () => false, delete: async () => true };
  return async () => {
    const http = { baseURL: `${BASE}/` }; // the one address
    const app = new OfficialAccount({ app_id: APPID, secret: SECRET, token: 't', aes_key: '', use_stable_access_token: true, http });
    app.setCache(nothing);
    return app.getAccessToken().getToken();
  };
}

async function main() {
  const caller = { 'co-wechat-api': co_wechat_api, 'node-easywechat': node_easywechat }[process.argv[2]]();
  const tokens = new Set();
  for (let n = 0; n < Number(COUNT); n++) {
    const token = await caller();
    if (!token) throw new Error('no token');
    tokens.add(token);
  }
  console.log([...tokens].join('\n'));
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
