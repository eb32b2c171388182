// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"text/tabwriter"
	"text/template"
)

// What the standard library does by panics of its own, which no caller sees. Apart from the other ways:
// what these leave behind on stacks that are used again looks like frames without a frame pointer.
var quiet = map[string]way{}

type refusing struct{}

func (refusing) Write([]byte) (int, error) { return 0, fmt.Errorf("refused") }

func must(failed bool) {
	if !failed {
		panic("it did not come to that")
	}
}

func execute(text string, data interface{}) error {
	var out bytes.Buffer
	return template.Must(template.New("t").Parse(text)).Execute(&out, data)
}

func scan(text string) {
	var n int
	_, err := fmt.Sscanf(text, "%d", &n)
	must(err != nil)
}

func init() {
	quiet["scan"] = func(*stacks) { scan("text") }
	quiet["scan-nothing"] = func(*stacks) { scan("") }
	quiet["marshal"] = func(*stacks) {
		_, err := json.Marshal(map[string]interface{}{"f": func() {}})
		must(err != nil)
	}
	quiet["gob"] = func(*stacks) {
		must(gob.NewEncoder(&bytes.Buffer{}).Encode(struct{ F func() }{}) != nil)
	}
	quiet["break"] = func(*stacks) {
		must(execute("{{range .}}{{if eq . 1}}{{continue}}{{end}}{{break}}{{end}}", numbers) == nil)
	}
	quiet["template"] = func(*stacks) {
		must(execute("{{range .}}{{.Missing}}{{end}}", numbers) != nil)
	}
	quiet["template-writes"] = func(*stacks) {
		must(template.Must(template.New("t").Parse("text")).Execute(refusing{}, nil) != nil)
	}
	quiet["template-text"] = func(*stacks) {
		_, err := template.New("t").Parse("{{")
		must(err != nil)
	}
	quiet["pattern"] = func(*stacks) {
		_, err := regexp.Compile(strings.Repeat("(", 2000) + strings.Repeat(")", 2000))
		must(err != nil)
	}
	quiet["table"] = func(*stacks) {
		w := tabwriter.NewWriter(refusing{}, 1, 1, 1, ' ', 0)
		w.Write([]byte("a\tb\n"))
		must(w.Flush() != nil)
	}

	// And panics that are none of that, with the same types or after the same.
	quiet["template-error"] = func(*stacks) { panic(execute("{{.Missing}}", numbers)) }
	quiet["after-scans"] = func(*stacks) {
		for i := 0; i < 50; i++ {
			scan("text")
		}
		raise()
	}
}
