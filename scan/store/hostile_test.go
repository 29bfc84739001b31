package store

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headcount/scan/fault"
)

// secretAnswers are answers of a provider that hold a secret, zzz, or repeat the request, which holds one too.
func secretAnswers() map[string]func(w http.ResponseWriter, request string) {
	text := func(status int, text string) func(http.ResponseWriter, string) {
		return func(w http.ResponseWriter, request string) {
			w.Header().Set("X-Amzn-Requestid", "zzz")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, strings.ReplaceAll(text, "REQUEST", request))
		}
	}
	return map[string]func(http.ResponseWriter, string){
		"text":       text(400, "zzz REQUEST"),
		"JSON error": text(400, `{"code":"zzz","message":"zzz","Code":"zzz","Message":"zzz","__type":"zzz"}`),
		"XML error":  text(403, "<R><Error><Code>InvalidIdentityToken</Code><Message>REQUEST</Message></Error></R>"),
		"XML code":   text(403, "<R><Error><Code>zzz</Code><Message>zzz</Message></Error></R>"),
		"half JSON":  text(200, `{"AccessKeyId":"zzz","SecretAccessKey":zzz`),
		"half XML":   text(200, "<a><zzz></b>"),
		"bad date":   text(200, `{"Code":"Success","AccessKeyId":"zzz","Token":"zzz","Expiration":"zzz"}`),
		"failure":    text(200, `{"Code":"zzz","Message":"zzz"}`),
		"no answer":  text(200, "{}"),
		"broken key": text(200, `{"Code":"Success","AccessKeyId":"zzz\nzzz","SecretAccessKey":"zzz","Token":"zzz",`+
			`"Expiration":"2099-01-01T00:00:00Z"}`),
		"redirect": func(w http.ResponseWriter, _ string) {
			w.Header().Set("Location", "http://zzz:zzz@127.0.0.1:1/zzz?zzz")
			w.WriteHeader(302)
		},
		"no HTTP": func(w http.ResponseWriter, _ string) {
			if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_, _ = io.WriteString(c, "HTTP/1.1 zzz zzz\r\n\r\n")
				c.Close()
			}
		},
	}
}

// Whatever a provider answers, an error about the credentials has no part of the answer, and none of the request.
func TestAnswersOfProvidersAreHidden(t *testing.T) {
	home := t.TempDir()
	token := filepath.Join(home, ".aws", "sso", "cache", hexSHA1("corp")+".json")
	if err := os.MkdirAll(filepath.Dir(token), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	const signedIn = `{"accessToken":"zzz","expiresAt":"2099-01-01T00:00:00Z"}`
	sso := inConfig(t, "[profile p]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\nregion = eu-west-1\n"+
		"[sso-session corp]\nsso_start_url = https://corp.example.test/start\nsso_region = eu-west-1\n")
	role := inConfig(
		t,
		roleOf("base")+"external_id = zzz\n[profile base]\naws_access_key_id = A\naws_secret_access_key = zzz\n",
	)
	providers := map[string]func(url string) map[string]string{
		"metadata service": func(url string) map[string]string {
			return map[string]string{"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": url}
		},
		"container": func(url string) map[string]string {
			return map[string]string{
				"AWS_CONTAINER_CREDENTIALS_FULL_URI": url + "/zzz?zzz", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "zzz",
			}
		},
		"web identity": func(url string) map[string]string {
			return map[string]string{
				"AWS_ENDPOINT_URL_STS": url, "AWS_ROLE_ARN": "arn:aws:iam::1:role/r",
				"AWS_WEB_IDENTITY_TOKEN_FILE": write(t, "zzz"),
			}
		},
		"role": func(url string) map[string]string {
			role["AWS_ENDPOINT_URL_STS"] = url
			return withProfile("p", role)
		},
		"single sign-on": func(url string) map[string]string {
			sso["AWS_ENDPOINT_URL_SSO"] = url
			return withProfile("p", sso)
		},
	}
	if err := os.WriteFile(token, []byte(signedIn), 0o600); err != nil {
		t.Fatal(err)
	}
	for answer, respond := range secretAnswers() {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			respond(w, r.URL.String()+string(body)+r.Header.Get("Authorization"))
		}))
		defer server.Close()
		for name, env := range providers {
			t.Run(name+", "+answer, func(t *testing.T) { expectHidden(t, env(server.URL)) })
		}
	}
	for name, text := range map[string]string{
		"half": `{"accessToken":"zzz`, "types": `{"accessToken":{"zzz":1}}`,
		"date":    `{"accessToken":"zzz","expiresAt":"zzz"}`,
		"expired": `{"accessToken":"zzz","expiresAt":"2020-01-01T00:00:00Z"}`, "empty": "",
	} {
		if err := os.WriteFile(token, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Run("token of single sign-on, "+name, func(t *testing.T) { expectHidden(t, withProfile("p", sso)) })
	}
	for _, url := range []string{"http://127.0.0.1:zzz", "http://zzz:zzz@[::1", "http://127.0.0.1/%zz"} {
		for name, env := range providers {
			t.Run(name+", "+url, func(t *testing.T) { expectHidden(t, env(url)) })
		}
	}
}

// expectHidden expects an error about the credentials, with a hint and without zzz.
func expectHidden(t *testing.T, env map[string]string) {
	t.Helper()
	env["AWS_MAX_ATTEMPTS"] = "1"
	stderr := captureStderr(t)
	s, err := configured(t, Config{}, env)
	if err == nil {
		err = s.FetchCredentials(t.Context())
	}
	if err == nil {
		t.Fatal("there are credentials")
	}
	var failed *CredentialsError
	text := err.Error() + stderr()
	if errors.As(err, &failed) {
		text += failed.Hint()
	} else if s != nil || fault.ClassOf(err) == fault.Credentials {
		t.Errorf("%T", err)
	}
	if strings.Contains(text, "zzz") || strings.Contains(text, "%zz") {
		t.Error(text)
	}
}

func hexSHA1(text string) string {
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// captureStderr returns a function that returns what was written to os.Stderr since.
func captureStderr(t *testing.T) func() string {
	t.Helper()
	name, before := filepath.Join(t.TempDir(), "stderr"), os.Stderr
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	os.Stderr = f
	t.Cleanup(func() { os.Stderr = before; f.Close() })
	return func() string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}
