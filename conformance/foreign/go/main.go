// A caller that uses golang.org/x/oauth2/clientcredentials as its documentation says, and prints what it got as JSON.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	pool := x509.NewCertPool()
	pem, err := os.ReadFile(os.Getenv("CA_FILE"))
	if err != nil {
		return err
	}
	pool.AppendCertsFromPEM(pem)
	shown := &tls.Config{RootCAs: pool}
	if file := os.Getenv("CERT_FILE"); file != "" {
		pair, err := tls.LoadX509KeyPair(file, os.Getenv("KEY_FILE"))
		if err != nil {
			return err
		}
		shown.Certificates = []tls.Certificate{pair}
	}
	base := &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: shown},
	}
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, base)

	styles := map[string]oauth2.AuthStyle{
		"autodetect": oauth2.AuthStyleAutoDetect,
		"header":     oauth2.AuthStyleInHeader,
		"params":     oauth2.AuthStyleInParams,
	}
	config := clientcredentials.Config{
		ClientID:       os.Getenv("CLIENT_ID"),
		ClientSecret:   os.Getenv("CLIENT_SECRET"),
		TokenURL:       os.Getenv("TOKEN_ENDPOINT"),
		Scopes:         strings.Fields(os.Getenv("SCOPE")),
		EndpointParams: url.Values{"resource": {os.Getenv("RESOURCE")}},
		AuthStyle:      styles[os.Getenv("AUTH_STYLE")],
	}
	token, err := config.Token(ctx)
	if err != nil {
		return err
	}
	answer, err := config.Client(ctx).Get(os.Getenv("API_URL"))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"token":      token.AccessToken,
		"token_type": token.Type(),
		"scope":      token.Extra("scope"),
		"expires_in": token.ExpiresIn,
		"status":     answer.StatusCode,
	})
}
