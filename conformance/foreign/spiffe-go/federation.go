// A deployment that keeps the trust bundle of another: go-spiffe on a bundle endpoint, profile https_web.
package main

import (
	"context"
	cryptox509 "crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/federation"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

// Certificates that a client of the public Web PKI would have without being told.
func webPKI() federation.FetchOption {
	text, err := os.ReadFile(os.Getenv("CA_FILE"))
	if err != nil {
		panic(err)
	}
	roots := cryptox509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		panic("no certificates")
	}
	return federation.WithWebPKIRoots(roots)
}

func describe(bundle *spiffebundle.Bundle) map[string]any {
	keys := []string{}
	for id := range bundle.JWTAuthorities() {
		keys = append(keys, id)
	}
	roots := []string{}
	for _, root := range bundle.X509Authorities() {
		roots = append(roots, root.Subject.String())
	}
	sequence, _ := bundle.SequenceNumber()
	hint, _ := bundle.RefreshHint()
	return map[string]any{"trust_domain": bundle.TrustDomain().Name(), "kids": keys, "roots": roots, "sequence": sequence, "refresh_hint": hint.Seconds()}
}

// Fetches the bundle, and verifies with it the SVIDs that the environment has.
func federated() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	domain := spiffeid.RequireTrustDomainFromString(os.Getenv("TRUST_DOMAIN"))
	bundle, err := federation.FetchBundle(ctx, domain, os.Getenv("BUNDLE_ENDPOINT"), webPKI())
	if err != nil {
		fail(err)
	}
	said := describe(bundle)
	if token := os.Getenv("TOKEN"); token != "" {
		svid, err := jwtsvid.ParseAndValidate(token, bundle, []string{os.Getenv("AUDIENCE")})
		if err != nil {
			fail(err)
		}
		said["jwt"] = svid.ID.String()
	}
	if chain := os.Getenv("CHAIN"); chain != "" {
		raw := [][]byte{}
		for rest := []byte(chain); ; {
			var block *pem.Block
			block, rest = pem.Decode(rest)
			if block == nil {
				break
			}
			raw = append(raw, block.Bytes)
		}
		id, _, err := x509svid.ParseAndVerify(raw, bundle)
		if err != nil {
			fail(err)
		}
		said["x509"] = id.String()
	}
	say(said)
}

type bundleWatcher struct{}

// Sooner than the hint says: a test does not wait for minutes.
func (bundleWatcher) NextRefresh(time.Duration) time.Duration { return 200 * time.Millisecond }

func (bundleWatcher) OnUpdate(bundle *spiffebundle.Bundle) { say(describe(bundle)) }

func (bundleWatcher) OnError(err error) { say(map[string]any{"watch_error": err.Error()}) }

// Until its standard input ends, or a minute is over.
func federatedWatch() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	domain := spiffeid.RequireTrustDomainFromString(os.Getenv("TRUST_DOMAIN"))
	_ = federation.WatchBundle(ctx, domain, os.Getenv("BUNDLE_ENDPOINT"), bundleWatcher{}, webPKI())
}
