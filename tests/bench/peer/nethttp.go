// SPDX-License-Identifier: MIT

// The same in Go: net/http, 204 to everything.
package main

import (
	"io"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	})
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
