// SPDX-License-Identifier: MIT

// A function without any framework: what a program has to do for the function host, and no more.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

var invocation int64

func receive(w http.ResponseWriter, r *http.Request) {
	var event struct{ Message struct{ Data []byte } }
	if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ledger := os.Getenv("LEDGER")
	if _, err := os.Stat(ledger + ".died"); string(event.Message.Data) == "die" && err != nil {
		os.WriteFile(ledger+".died", nil, 0o600)
		log.Fatal("dies of the event")
	}
	file, err := os.OpenFile(ledger, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintf(file, "%s %d %s %s\n", os.Getenv("HOSTNAME"), atomic.AddInt64(&invocation, 1),
		os.Getenv("K_SERVICE"), event.Message.Data)
	file.Close()
	w.WriteHeader(http.StatusNoContent)
}

func main() {
	server := &http.Server{Addr: ":" + os.Getenv("PORT"), Handler: http.HandlerFunc(receive)}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		<-ended
		server.Shutdown(context.Background())
		close(done)
	}()
	log.Print("ready")
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	<-done
}
