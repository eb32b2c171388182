# SPDX-License-Identifier: Apache-2.0
"""The programs, how each is started on loopback with throw-away data, and what it is asked.

A row: name, where it comes from, command, requests. In texts {root} is the unpacked package, {data}
an empty folder, {port} and {port2} are free ports. A request is "METHOD path" or (that, body).
"""
import dataclasses

from . import fetch


@dataclasses.dataclass
class Program:
    name: str
    root: object                        # callable -> folder
    command: list
    requests: list
    files: dict = dataclasses.field(default_factory=dict)   # name under {data} -> text
    before: list = dataclasses.field(default_factory=list)  # commands to run first
    env: dict = dataclasses.field(default_factory=dict)
    ready: str = "/"                    # answers something when it is up
    socket: str = ""                    # unix socket instead of {port}
    path: list = dataclasses.field(default_factory=list)    # packages whose bin and lib it needs
    needs_root: bool = False


def debian(package, suite=None):
    return lambda: fetch.debian(package, suite)


def module(path, version):
    return lambda: fetch.go_module(path, version)


# For a program that wants files of its package in /usr/share: there they are, in a mount namespace.
OWN_SHARE = ["unshare", "--mount", "sh", "-c",
             'mount --bind "$0/usr/share" /usr/share && exec "$@"', "{root}"]

PROMETHEUS = dict(
    command=["{root}/usr/bin/prometheus", "--config.file={data}/p.yml",
             "--storage.tsdb.path={data}/d", "--web.listen-address=127.0.0.1:{port}"],
    files={"p.yml": "global: {scrape_interval: 1h}\n"}, ready="/-/ready",
    requests=["GET /-/ready", "GET /-/healthy", "GET /api/v1/query?query=up", "GET /metrics",
              "GET /api/v1/status/buildinfo", "GET /api/v1/label/job/values", "GET /no/such",
              "GET /api/v1/query", "POST /api/v1/query"])
CADDY = dict(
    command=["{root}/usr/bin/caddy", "run", "--config", "{data}/c.json"],
    files={"c.json": '{"admin": {"disabled": true}, "apps": {"http": {"servers": {"s": {"listen": '
                     '["127.0.0.1:{port}"], "automatic_https": {"disable": true}, "routes": ['
                     '{"match": [{"path": ["/made"]}], "handle": [{"handler": "static_response", '
                     '"status_code": 201, "body": "made"}]}, {"handle": [{"handler": '
                     '"file_server", "root": "{data}"}]}]}}}}}',
           "file.txt": "text\n"},
    env={"HOME": "{data}", "XDG_DATA_HOME": "{data}", "XDG_CONFIG_HOME": "{data}"},
    requests=["GET /made", "GET /file.txt", "HEAD /file.txt", "GET /none", "POST /made"],
    ready="/made")
HUGO = dict(
    command=["{root}/usr/bin/hugo", "server", "--source", "{data}", "--bind", "127.0.0.1", "--port",
             "{port}", "--watch=false", "--disableLiveReload"],
    files={"config.toml": 'baseURL = "http://127.0.0.1/"\ntitle = "t"\n',
           "layouts/index.html": "<h1>home</h1>\n", "static/a.txt": "a\n"},
    requests=["GET /", "GET /a.txt", "GET /none", "HEAD /"])
SYNCTHING = dict(
    before=[["{root}/usr/bin/syncthing", "generate", "--home={data}", "--no-default-folder"],
            ["sed", "-i", "-e", "s/<globalAnnounceEnabled>true/<globalAnnounceEnabled>false/",
             "-e", "s/<localAnnounceEnabled>true/<localAnnounceEnabled>false/",
             "-e", "s/<relaysEnabled>true/<relaysEnabled>false/",
             "-e", "s/<natEnabled>true/<natEnabled>false/",
             "-e", "s/<crashReportingEnabled>true/<crashReportingEnabled>false/",
             "-e", "s/<urAccepted>0/<urAccepted>-1/",
             "-e", "s/<startBrowser>true/<startBrowser>false/",
             "-e", "s,<listenAddress>default,<listenAddress>tcp://127.0.0.1:0,",
             "{data}/config.xml"]],
    command=["{root}/usr/bin/syncthing", "serve", "--home={data}", "--no-browser", "--no-restart",
             "--gui-address=127.0.0.1:{port}"],
    env={"STNOUPGRADE": "1", "HOME": "{data}"}, ready="/rest/noauth/health",
    requests=["GET /rest/noauth/health", "GET /rest/system/ping", "GET /", "GET /none"])
DOCKERD = dict(
    command=["{root}/usr/sbin/dockerd", "--data-root={data}/d", "--exec-root={data}/e",
             "--pidfile={data}/pid", "--host=unix://{data}/docker.sock", "--iptables=false",
             "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"],
    socket="{data}/docker.sock", ready="/_ping", needs_root=True,
    requests=["GET /_ping", "HEAD /_ping", "GET /version", "GET /v1.41/containers/json",
              "GET /v1.41/images/json", "GET /v1.41/containers/none/json", "GET /v1.41/info",
              "POST /v1.41/containers/none/start"])
HTTPBIN = ["GET /get?a=1", "GET /status/418", "GET /status/503", "POST /post", "PUT /put",
           "GET /uuid", "GET /bytes/1000", "GET /delay/0.01", "GET /headers",
           "GET /none", "DELETE /delete",
           "GET /stream/5", "GET /base64/YQ=="]

PROGRAMS = [
    Program("prometheus", debian("prometheus"), **PROMETHEUS),
    Program("alertmanager", debian("prometheus-alertmanager"),
            [*OWN_SHARE, "{root}/usr/bin/prometheus-alertmanager", "--config.file={data}/a.yml",
             "--storage.path={data}/d", "--web.listen-address=127.0.0.1:{port}",
             "--cluster.listen-address="],
            ["GET /-/healthy", "GET /api/v2/status", "GET /api/v2/alerts", "GET /metrics",
             "GET /none", "POST /api/v2/alerts",
             ("POST /api/v2/alerts", '[{"labels": {"alertname": "a"}}]')],
            needs_root=True,
            files={"a.yml": "route: {receiver: r}\nreceivers: [{name: r}]\n"}, ready="/-/healthy"),
    Program("node-exporter", debian("prometheus-node-exporter"),
            ["{root}/usr/bin/prometheus-node-exporter", "--web.listen-address=127.0.0.1:{port}",
             "--collector.disable-defaults", "--collector.uname"],
            ["GET /", "GET /metrics", "HEAD /metrics", "GET /metrics?collect[]=uname"]),
    Program("blackbox-exporter", debian("prometheus-blackbox-exporter"),
            ["{root}/usr/bin/prometheus-blackbox-exporter", "--config.file={data}/b.yml",
             "--web.listen-address=127.0.0.1:{port}"],
            ["GET /-/healthy", "GET /metrics", "GET /config", "GET /probe",
             "GET /probe?module=tcp&target=127.0.0.1:{port}"],
            files={"b.yml": "modules: {tcp: {prober: tcp}}\n"}, ready="/-/healthy"),
    Program("pushgateway", debian("prometheus-pushgateway"),
            ["{root}/usr/bin/prometheus-pushgateway", "--web.listen-address=127.0.0.1:{port}"],
            [("PUT /metrics/job/a", "x 1\n"), ("POST /metrics/job/a/b/c", "y 2\n"),
             ("PUT /metrics/job/a", "not a metric"), "GET /metrics", "GET /api/v1/status",
             "DELETE /metrics/job/a"], ready="/-/ready"),
    Program("hugo", debian("hugo"), path=[debian("libsass1")], **HUGO),
    Program("syncthing", debian("syncthing"), **SYNCTHING),
    Program("dockerd", debian("docker.io"), path=[debian("containerd"), debian("runc")], **DOCKERD),
    Program("containerd", debian("containerd"),
            ["{root}/usr/bin/containerd", "--config", "{data}/c.toml"],
            ["GET /v1/metrics", "GET /none", "HEAD /v1/metrics"], ready="/v1/metrics",
            needs_root=True, files={"c.toml": 'version = 2\nroot = "{data}/r"\nstate = "{data}/s"\n'
                             'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
                             '[grpc]\naddress = "{data}/c.sock"\n[metrics]\n'
                             'address = "127.0.0.1:{port}"\n'}),
    Program("caddy", debian("caddy"), **CADDY),
    Program("etcd", debian("etcd-server"),
            ["{root}/usr/bin/etcd", "--data-dir={data}/d", "--unsafe-no-fsync",
             "--listen-client-urls=http://127.0.0.1:{port}",
             "--advertise-client-urls=http://127.0.0.1:{port}",
             "--listen-peer-urls=http://127.0.0.1:{port2}"],
            ["GET /health", "GET /version", "GET /metrics", "GET /none",
             ("POST /v3/kv/put", '{"key": "YQ==", "value": "Yg=="}'),
             ("POST /v3/kv/range", '{"key": "YQ=="}')], ready="/health"),
    Program("influxd", debian("influxdb"), ["{root}/usr/bin/influxd"],
            ["GET /ping", "GET /query?q=SHOW+DATABASES", "POST /query?q=CREATE+DATABASE+d",
             ("POST /write?db=d", "m v=1\n"), "GET /query?db=d&q=SELECT+*+FROM+m", "GET /none"],
            env={"INFLUXDB_HTTP_BIND_ADDRESS": "127.0.0.1:{port}", "INFLUXDB_META_DIR": "{data}/m",
                 "INFLUXDB_BIND_ADDRESS": "127.0.0.1:{port2}", "INFLUXDB_DATA_DIR": "{data}/d",
                 "INFLUXDB_DATA_WAL_DIR": "{data}/w", "INFLUXDB_REPORTING_DISABLED": "true",
                 "HOME": "{data}"}, ready="/ping"),
    Program("rclone", debian("rclone"),
            ["{root}/usr/bin/rclone", "serve", "http", "--addr", "127.0.0.1:{port}", "{data}"],
            ["GET /", "GET /a.txt", "HEAD /a.txt", "GET /none"], files={"a.txt": "a\n"},
            env={"HOME": "{data}"}),
    Program("victoria-metrics", debian("victoria-metrics"),
            ["{root}/usr/bin/victoria-metrics", "-storageDataPath={data}/d",
             "-httpListenAddr=127.0.0.1:{port}", "-memory.allowedBytes=64MB"],
            ["GET /health", "GET /metrics", "GET /api/v1/query?query=1", "GET /none",
             ("POST /write", "m v=1\n")], ready="/health"),
    Program("webhook", debian("webhook"),
            ["{root}/usr/bin/webhook", "-hooks", "{data}/h.json", "-ip", "127.0.0.1",
             "-port", "{port}"],
            ["POST /hooks/a", "GET /hooks/a", "GET /hooks/none", "GET /"],
            files={"h.json": '[{"id": "a", "execute-command": "/bin/true"}]'}),
    Program("docker-registry", debian("docker-registry"),
            ["{root}/usr/bin/docker-registry", "serve", "{data}/r.yml"],
            ["GET /v2/", "GET /v2/_catalog", "GET /v2/a/tags/list", "GET /v2/a/manifests/b",
             "GET /none", "POST /v2/a/blobs/uploads/"], ready="/v2/",
            files={"r.yml": 'version: 0.1\nstorage: {filesystem: {rootdirectory: "{data}/d"}}\n'
                            'http: {addr: "127.0.0.1:{port}"}\n'}),
    Program("nats-server", debian("nats-server"),
            ["{root}/usr/sbin/nats-server", "-a", "127.0.0.1", "-p", "{port2}", "-m", "{port}"],
            ["GET /varz", "GET /connz", "GET /healthz", "GET /", "GET /none"], ready="/healthz"),
    Program("prometheus sid", debian("prometheus", "sid"), **PROMETHEUS),
    Program("caddy sid", debian("caddy", "sid"), **CADDY),
    Program("hugo sid", debian("hugo", "sid"), path=[debian("libsass1")], **HUGO),
    Program("syncthing sid", debian("syncthing", "sid"), **SYNCTHING),
    Program("go-httpbin", module("github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin", "v2.18.3"),
            ["{root}/bin/go-httpbin", "-host", "127.0.0.1", "-port", "{port}"], HTTPBIN),
]
