// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"
)

// The peer is another process, which OpenTelemetry's SDK traces (otelhttp, otelgrpc) and gospan does
// not: all that both know of each other is the header.
const peerOrder = "requests 100"

// checkSDKServer: a traced client calls it. What gospan wrote makes its spans the parents of the SDK's.
func checkSDKServer(program, sdkProgram string) {
	var theirs *news

	n, out, err := tracePeers(program, sdkProgram, func(plain, sdk *writer) (*news, error) {
		n, err := plain.order(peerOrder)
		if err != nil {
			return nil, err
		}
		theirs, err = sdk.order("report")
		return n, err
	}, true)
	if err != nil {
		report("sdk server", "", err)
		return
	}
	all, absent := 0, 0
	for _, kind := range kinds {
		v := verdicts{apart: true}
		judgeKind(&v, kind, theirs.sights, out.spans, theirs.spans)
		detail, err := v.conclude(kind, n)
		if v.written < 100 || v.absent == 0 {
			err = errors.Join(err, errors.New(detail))
		}
		report("sdk server "+kind, detail, errors.Join(err, areSampled(kind, theirs.spans)))
		all, absent = all+v.all, absent+v.absent
	}
	detail, err := judgeAccount(out, all, absent)
	report("sdk server's account", detail, err)
}

// areSampled: the SDK was told so, by somebody remote.
func areSampled(kind string, spans []span) error {
	for _, s := range spans {
		if strings.HasPrefix(s.path, "/"+kind+"/") && s.ParentSpanID != "" &&
			(s.Kind != kindServer || s.attributes["parent"] != "03remote" && s.attributes["parent"] != "01remote") {
			return fmt.Errorf("%+v", s)
		}
	}
	return nil
}

// checkSDKClient: it calls a traced server. Its header arrives as it was sent, and is the server's parent.
func checkSDKClient(program, sdkProgram string) {
	var seen *news

	n, out, err := tracePeers(program, sdkProgram, func(plain, sdk *writer) (*news, error) {
		n, err := sdk.order(peerOrder)
		if err != nil {
			return nil, err
		}
		seen, err = plain.order("report")
		return n, err
	}, false)
	if err != nil {
		report("sdk client", "", err)
		return
	}
	clients, _ := ends(n.spans)
	_, servers := ends(out.spans)
	all := 0
	for _, kind := range kinds {
		cnt, err := judgeSDKClient(kind, seen.sights, clients, servers)
		if cnt == 0 || cnt != n.made[kind] {
			err = errors.Join(err, fmt.Errorf("%d of %d requests were seen", cnt, n.made[kind]))
		}
		report("sdk client "+kind, fmt.Sprintf("%d requests, their own headers the parents", cnt), err)
		all += cnt
	}
	detail, err := judgeAccount(out, all, 0)
	report("sdk client's account", detail, err)
}

func judgeSDKClient(kind string, sights []sight, clients, servers map[string]span) (int, error) {
	var wrong []error

	cnt := 0
	for _, s := range sights {
		if !strings.HasPrefix(s.path, "/"+kind+"/") {
			continue
		}
		cnt++
		client, server := clients[s.path], servers[s.path]
		header := client.attributes["header"]
		if len(s.values) != 1 || s.values[0] != header || !strings.Contains(header, client.SpanID) ||
			client.SpanID == "" || server.ParentSpanID != client.SpanID || server.TraceID != client.TraceID {
			wrong = append(wrong, fmt.Errorf("%s: saw %q, %+v, %+v", s.path, s.values, client, server))
		}
	}
	return cnt, errors.Join(firsts(wrong)...)
}

// tracePeers has act done while the program without an SDK is traced, which calls the other one or is
// called by it.
func tracePeers(program, sdkProgram string, act func(plain, sdk *writer) (*news, error),
	calls bool) (*news, traced, error) {
	var n *news

	first, second := program, sdkProgram
	if calls {
		first, second = sdkProgram, program
	}
	server, err := startWriter(first, kinds...)
	if err != nil {
		return nil, traced{}, err
	}
	defer stop(server.cmd)
	client, err := startWriter(second, server.at...)
	if err != nil {
		return nil, traced{}, err
	}
	defer stop(client.cmd)
	plain, sdk := server, client
	if calls {
		plain, sdk = client, server
	}
	out, err := traceProcess(plain.cmd.Process.Pid, nil, func() error {
		var err error
		n, err = act(plain, sdk)
		return err
	})
	return n, out, err
}
