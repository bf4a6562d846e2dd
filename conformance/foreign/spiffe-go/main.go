// A workload with go-spiffe: what it gets from the Workload API, one line of JSON each.
package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
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
	switch os.Args[1] {
	case "federated":
		federated()
		return
	case "federated-watch":
		federatedWatch()
		return
	case "federation-server":
		federationServer()
		return
	}
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
	case "x509":
		x509(ctx, client)
	case "x509-watch":
		x509Watch(client)
	case "x509-verify":
		x509Verify(ctx, client)
	default:
		panic(os.Args[1])
	}
}

// The chain and the bundle as PEM, after go-spiffe has verified the one with the other.
func x509(ctx context.Context, client *workloadapi.Client) {
	source, err := workloadapi.NewX509Source(ctx, workloadapi.WithClient(client))
	if err != nil {
		fail(err)
	}
	defer source.Close()
	svid, err := source.GetX509SVID()
	if err != nil {
		fail(err)
	}
	id, _, err := x509svid.Verify(svid.Certificates, source)
	if err != nil {
		fail(err)
	}
	bundle, err := source.GetX509BundleForTrustDomain(id.TrustDomain())
	if err != nil {
		fail(err)
	}
	chain, key, err := svid.Marshal()
	if err != nil {
		fail(err)
	}
	roots, err := bundle.Marshal()
	if err != nil {
		fail(err)
	}
	say(map[string]any{"id": id.String(), "chain": string(chain), "key": string(key), "roots": string(roots), "hint": svid.Hint})
}

// Whether a chain that came from elsewhere holds in the trust domain that it names.
func x509Verify(ctx context.Context, client *workloadapi.Client) {
	bundles, err := client.FetchX509Bundles(ctx)
	if err != nil {
		fail(err)
	}
	raw := [][]byte{}
	for rest := []byte(os.Getenv("CHAIN")); ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		raw = append(raw, block.Bytes)
	}
	id, _, err := x509svid.ParseAndVerify(raw, bundles)
	if err != nil {
		fail(err)
	}
	say(map[string]any{"id": id.String()})
}

type x509Watcher struct{ seen int }

func (w *x509Watcher) OnX509ContextUpdate(update *workloadapi.X509Context) {
	w.seen++
	svids := []map[string]any{}
	for _, svid := range update.SVIDs {
		svids = append(svids, map[string]any{"id": svid.ID.String(), "serial": svid.Certificates[0].SerialNumber.String(), "not_after": svid.Certificates[0].NotAfter.Unix()})
	}
	say(map[string]any{"update": w.seen, "svids": svids})
}

func (w *x509Watcher) OnX509ContextWatchError(err error) {
	say(map[string]any{"watch_error": err.Error(), "status": status.Code(err).String()})
}

// Until its standard input ends, or three minutes are over.
func x509Watch(client *workloadapi.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	_ = client.WatchX509Context(ctx, &x509Watcher{})
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

// Until its standard input ends, or three minutes are over.
func bundleWatch(client *workloadapi.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	defer cancel()
	_ = client.WatchJWTBundles(ctx, &jwtWatcher{})
}
