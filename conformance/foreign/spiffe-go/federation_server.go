// A trust domain of its own that publishes its bundle: go-spiffe as a bundle endpoint, profile https_spiffe.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	cryptox509 "crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/federation"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func newKey() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

type issuer struct {
	certificate *cryptox509.Certificate
	key         *ecdsa.PrivateKey
}

func newIssuer(domain spiffeid.TrustDomain, serial int64) issuer {
	key := newKey()
	uri := must(url.Parse(domain.IDString()))
	template := &cryptox509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "authority", SerialNumber: big.NewInt(serial).String()}, URIs: []*url.URL{uri},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: cryptox509.KeyUsageCertSign | cryptox509.KeyUsageCRLSign,
	}
	der := must(cryptox509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return issuer{must(cryptox509.ParseCertificate(der)), key}
}

func (by issuer) svid(id spiffeid.ID) *x509svid.SVID {
	key := newKey()
	template := &cryptox509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), URIs: []*url.URL{id.URL()},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    cryptox509.KeyUsageDigitalSignature,
		ExtKeyUsage: []cryptox509.ExtKeyUsage{cryptox509.ExtKeyUsageServerAuth, cryptox509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}
	der := must(cryptox509.CreateCertificate(rand.Reader, template, by.certificate, key.Public(), by.key))
	return &x509svid.SVID{ID: id, Certificates: []*cryptox509.Certificate{must(cryptox509.ParseCertificate(der))}, PrivateKey: key}
}

// Whose SVID the server shows at the moment.
type present struct {
	lock sync.Mutex
	svid *x509svid.SVID
}

func (source *present) GetX509SVID() (*x509svid.SVID, error) {
	source.lock.Lock()
	defer source.lock.Unlock()
	return source.svid, nil
}

// First says where it is, its first bundle, and a JWT-SVID by a key that this bundle lacks. Until its standard input ends, or two minutes are over.
func federationServer() {
	domain := spiffeid.RequireTrustDomainFromString(os.Getenv("TRUST_DOMAIN"))
	server := spiffeid.RequireFromSegments(domain, "spire", "server")
	workload := spiffeid.RequireFromSegments(domain, "orders")
	root := newIssuer(domain, 1)
	bundle := spiffebundle.New(domain)
	bundle.AddX509Authority(root.certificate)
	bundle.SetSequenceNumber(1)
	bundle.SetRefreshHint(30 * time.Second)
	first := must(bundle.Marshal())

	signing := newKey()
	if err := bundle.AddJWTAuthority("minting", signing.Public()); err != nil {
		panic(err)
	}
	bundle.SetSequenceNumber(2)
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: signing, KeyID: "minting"}}, (&jose.SignerOptions{}).WithType("JWT")))
	claims := jwt.Claims{Subject: workload.String(), Audience: jwt.Audience{os.Getenv("AUDIENCE")}, IssuedAt: jwt.NewNumericDate(time.Now()), Expiry: jwt.NewNumericDate(time.Now().Add(5 * time.Minute))}
	token := must(jwt.Signed(signer).Claims(claims).Serialize())

	source := &present{svid: root.svid(server)}
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	handler := must(federation.NewHandler(domain, bundle))
	endpoint := &http.Server{Handler: handler, TLSConfig: tlsconfig.TLSServerConfig(source), ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = endpoint.ServeTLS(listener, "", "") }()
	say(map[string]any{"address": listener.Addr().String(), "server": server.String(), "workload": workload.String(), "bundle": json.RawMessage(first), "svid": token})
	go func() {
		time.Sleep(2 * time.Minute)
		os.Exit(0)
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
}
