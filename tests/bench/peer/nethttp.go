// SPDX-License-Identifier: MIT

// Go's net/http: 204 to everything, or, with a prober's URL, what the responder does: a push comes, the
// prober gets a POST, the push its 204.
package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
)

func empty(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.WriteHeader(http.StatusNoContent)
}

type push struct {
	Message struct {
		Attributes map[string]string
	}
}

func answer(prober string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var p push
		id := ""
		if json.NewDecoder(r.Body).Decode(&p) == nil {
			id = p.Message.Attributes["probe_id"]
		}
		if id == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		said, err := http.Post(prober+"/cloud_function/"+id, "", nil)
		if err == nil {
			io.Copy(io.Discard, said.Body)
			said.Body.Close()
		}
		if err != nil || said.StatusCode >= 300 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func main() {
	handler := http.HandlerFunc(empty)
	if len(os.Args) > 2 {
		handler = answer(os.Args[2])
		http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 64
	}
	http.ListenAndServe("127.0.0.1:"+os.Args[1], handler)
}
