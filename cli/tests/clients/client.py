"""COUNT callers of a library, each without a token of its own. Prints each token once, and fails if a caller gets none.

    BASE=http://127.0.0.1:4020 APPID=... SECRET=... COUNT=1000 client.py weixin-python|wechat-api
"""

import os, sys, tempfile, warnings

warnings.filterwarnings("ignore")
BASE, APPID, SECRET, COUNT = (os.environ[name] for name in ("BASE", "APPID", "SECRET", "COUNT"))


def weixin_python():
    from weixin.mp import WeixinMP

    WeixinMP.api_uri = BASE  # the one address
    with tempfile.TemporaryDirectory() as folder:
        for n in range(int(COUNT)):
            yield WeixinMP(APPID, SECRET, ac_path=f"{folder}/a{n}", jt_path=f"{folder}/j{n}").access_token


def wechat_api():
    from wechat_api import Wechat

    # It keeps a token for each name.
    apps = {str(n): {"app_id": APPID, "secret_key": SECRET, "token": "x"} for n in range(int(COUNT))}
    kinds = "pay mini offi game work xwei store aispeech channels platform".split()
    settings = dict.fromkeys(kinds) | {"cert_path": tempfile.gettempdir()}
    settings["mini"] = {"base_url": BASE, "apps": apps}  # the one address
    library = Wechat(settings)
    for name in apps:
        yield library.mini.get_stable_access_token(force_refresh=False, app_name=name)


tokens = set({"weixin-python": weixin_python, "wechat-api": wechat_api}[sys.argv[1]]())
print("\n".join(tokens))
