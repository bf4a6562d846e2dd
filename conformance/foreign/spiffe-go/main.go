// A workload with go-spiffe: what it gets from the Workload API, one line of JSON each.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	"google.golang.org/grpc/status"
)

func say(value map[string]any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

func fail(err error) {
	say(map[string]any{"error": err.Error(), "code": status.Code(errors.Unwrap(err)).String(), "status": status.Code(err).String()})
	os.Exit(0)
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Second)
	defer cancel()
	client, err := workloadapi.New(ctx)
	if err != nil {
		fail(err)
	}
	defer client.Close()
	switch os.Args[1] {
	case "jwt":
		svids, err := client.FetchJWTSVIDs(ctx, jwtsvid.Params{Audience: os.Getenv("AUDIENCE")})
		if err != nil {
			fail(err)
		}
		list := []map[string]any{}
		for _, svid := range svids {
			list = append(list, map[string]any{"id": svid.ID.String(), "token": svid.Marshal(), "hint": svid.Hint, "expiry": svid.Expiry.Unix()})
		}
		say(map[string]any{"svids": list})
	case "validate":
		svid, err := client.ValidateJWTSVID(ctx, os.Getenv("TOKEN"), os.Getenv("AUDIENCE"))
		if err != nil {
			fail(err)
		}
		say(map[string]any{"id": svid.ID.String()})
	case "jwt-source":
		source, err := workloadapi.NewJWTSource(ctx, workloadapi.WithClient(client))
		if err != nil {
			fail(err)
		}
		defer source.Close()
		svid, err := source.FetchJWTSVID(ctx, jwtsvid.Params{Audience: os.Getenv("AUDIENCE")})
		if err != nil {
			fail(err)
		}
		parsed, err := jwtsvid.ParseAndValidate(svid.Marshal(), source, []string{os.Getenv("AUDIENCE")})
		if err != nil {
			fail(err)
		}
		say(map[string]any{"id": parsed.ID.String()})
	case "jwt-bundle-watch":
		bundleWatch(client)
	default:
		panic(os.Args[1])
	}
}

type jwtWatcher struct{ seen int }

func (w *jwtWatcher) OnJWTBundlesUpdate(set *jwtbundle.Set) {
	w.seen++
	keys := map[string]any{}
	for _, bundle := range set.Bundles() {
		ids := []string{}
		for id := range bundle.JWTAuthorities() {
			ids = append(ids, id)
		}
		keys[bundle.TrustDomain().Name()] = ids
	}
	say(map[string]any{"update": w.seen, "keys": keys})
}

func (w *jwtWatcher) OnJWTBundlesWatchError(err error) {
	say(map[string]any{"watch_error": err.Error(), "status": status.Code(err).String()})
}

func bundleWatch(client *workloadapi.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_ = client.WatchJWTBundles(ctx, &jwtWatcher{})
}

var _ = spiffeid.ID{}
