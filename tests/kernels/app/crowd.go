// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"
)

// A crowd are requests that are all under way at the same time: none is answered before all are
// there. By HTTP/1.1 each has a connection of its own, by the others they are streams of one.
const (
	crowdSize = 1000

	// Each has two spans. An HTTP/2 or gRPC client and server list theirs under two objects each,
	// and there is room for as many objects as for spans.
	roomForAll  = "GOSPAN_MAX_IN_FLIGHT=8192"
	roomForSome = "GOSPAN_MAX_IN_FLIGHT=700"
)

// checkCrowd: there is room for all, so no span is lost, and each request has its own header.
func checkCrowd(program string) {
	n, out, err := traceOrder(program, fmt.Sprintf("crowd %d", crowdSize), roomForAll)
	if err != nil {
		report("crowd", "", err)
	}
	if n == nil {
		return
	}
	all, unwritten := 0, 0
	for _, kind := range kinds {
		var v verdicts
		judgeKind(&v, kind, n.sights, out.spans, out.spans)
		detail, err := v.conclude(kind, n)
		if v.all != crowdSize+1 || kind != "grpc" && v.written != v.all || v.written < crowdSize/2 {
			err = errors.Join(err, errors.New(detail))
		}
		report("crowd "+kind, detail, err)
		all, unwritten = all+v.all, unwritten+v.unwritten()
	}
	detail, err := judgeAccount(out, 2*all, unwritten)
	report("crowd's account", detail, err)
}

// spares is about a crowd whose spans have no room.
type spares struct {
	v            verdicts
	half, silent int // requests of which one span is known, or none
}

// judge: what is not there cannot be anybody's parent.
func (r *spares) judge(s sight, client, server span) {
	header := fmt.Sprintf("00-%s-%s-%s", client.TraceID, client.SpanID, sampled)
	isBelow := server.ParentSpanID == client.SpanID && server.TraceID == client.TraceID
	wrong := func(what string) {
		r.v.wrong = append(r.v.wrong, fmt.Errorf("%s: %s: saw %q, %+v, %+v", s.path, what, s.values, client, server))
	}
	r.v.all++
	switch {
	case client.SpanID == "" && server.SpanID == "":
		r.silent++
	case client.SpanID == "" || server.SpanID == "":
		r.half++
	}
	switch {
	case len(s.values) > 1:
		wrong("two headers")
	case client.SpanID == "" && len(s.values) != 0:
		wrong("a header of nobody")
	case client.SpanID == "" && server.ParentSpanID != "":
		wrong("a parent that nobody knows")
	case len(s.values) == 1 && s.values[0] != header:
		wrong("another header")
	case len(s.values) == 1 && server.SpanID != "" && !isBelow:
		wrong("another parent")
	case len(s.values) == 1:
		r.v.written++
	case client.SpanID != "" && server.SpanID != "" && isBelow:
		r.v.joined++
	case server.ParentSpanID != "":
		wrong("another parent")
	default:
		r.v.absent++
	}
}

// checkSmallRoom: there is none for most of the spans. What is lost is counted, and what is not is right.
func checkSmallRoom(program string) {
	n, out, err := traceOrder(program, fmt.Sprintf("crowd %d", crowdSize), roomForSome)
	if err != nil {
		report("small room", "", err)
	}
	if n == nil {
		return
	}
	clients, servers := ends(out.spans)
	all := 0
	for _, kind := range kinds {
		var r spares
		for _, s := range n.sights {
			if strings.HasPrefix(s.path, "/"+kind+"/") {
				r.judge(s, clients[s.path], servers[s.path])
			}
		}
		detail, err := r.v.conclude(kind, n)
		detail += fmt.Sprintf("; one span of %d, none of %d", r.half, r.silent)
		if r.v.written == 0 || r.half+r.silent == 0 {
			err = errors.Join(err, errors.New(detail))
		}
		report("small room "+kind, detail, err)
		all += r.v.all
	}
	a := out.account
	detail := fmt.Sprintf("%d spans of %d; %+v", len(out.spans), 2*all, a)
	if len(out.spans) != a.exported || a.produced != 2*all || a.exported+a.dropped != a.produced ||
		a.reasons["in_flight_full"] != a.dropped || a.dropped == 0 {
		err = errors.New(detail)
	}
	report("small room's account", detail, err)
}
