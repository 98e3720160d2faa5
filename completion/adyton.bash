# SPDX-License-Identifier: Apache-2.0
# Completion of adyton(1) for bash: . completion/adyton.bash

_adyton() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} options=
	COMPREPLY=()

	case "${COMP_WORDS[1]-} ${COMP_WORDS[2]-}" in
	"dev up") options="--dir --port --bin --enclave-option --gateway-option --devcloud-arg --vm --image --kernel
		--memory --json" ;;
	"dev env") options="--dir --json" ;;
	"dev measure") options="--enclave --config --json" ;;
	"enclave run") options="--image --memory --cpus --cid --backend --dir --accel --debug --once --json" ;;
	"enclave stop") options="--dir" ;;
	"enclave status") options="--dir --json" ;;
	"enclave console") options="--dir --follow" ;;
	"key put") options="--file --key-arn --tenant --aws-sample --chain --policy --caller --allow-digest --allow-unprotected --replace --endpoint --region --ca --json" ;;
	"stamp keygen") options="--type --output" ;;
	"stamp make") options="--request --stamp-key --deployment --tenant --policy --derive" ;;
	"policy change") options="--stamp --stamp-key --request --deployment --gateway --ca --token-file --cert --cert-key" ;;
	"policy check") options="--policy --request --record --now --stamp --spent" ;;
	"key import") options="--file --kms-ciphertext --keystore --keystores --password-file --passwords --label --backup-key --jobs --slashing --new --network --pcr0 --pcr8 --root --tenant --curve --chain --policy --caller --allow-digest
		--allow-unprotected --allow-commitment --gateway --ca --token-file --cert --cert-key --json" ;;
	"key create") options="--require-proof --root --pcr0 --count --first --label --backup-key --tenant --curve --chain --policy --caller --allow-digest --allow-unprotected --allow-commitment --gateway --ca --token-file --cert
		--cert-key --json" ;;
	"key list") options="--tenant --label --curve --enabled --disabled --prefix --address --public-key --after --limit --gateway --ca --token-file --cert
		--cert-key --json" ;;
	"key delete") options="--days --gateway --ca --token-file --cert --cert-key --json" ;;
	"key load") options="--label --gateway --ca --token-file --cert --cert-key --json" ;;
	"key show" | "key label" | "key disable" | "key enable" | "key restore")
		options="--gateway --ca --token-file --cert --cert-key --json"
		;;
	"store copy") options="--tenant --replace --endpoint --region --ca --json" ;;
	"attestation get") options="--nonce --output --gateway --ca --token-file --cert --cert-key" ;;
	"slashing import") options="--check --gateway --ca --token-file --cert --cert-key --json" ;;
	"slashing export") options="--out --copy --gateway --ca --token-file --cert --cert-key" ;;
	"slashing show") options="--gateway --ca --token-file --cert --cert-key" ;;
	"key backup") options="--output --stamp-key --deployment --tenant --gateway --ca --token-file --cert --cert-key" ;;
	"backup keygen") options="--output" ;;
	"backup open") options="--key --output --seed" ;;
	"tenant rotate") options="--kms-key --show --no-wait --gateway --ca --token-file --cert --cert-key --json" ;;
	"wallet create") options="--words --label --backup-key --tenant --chain --policy --caller --allow-digest --allow-unprotected --gateway --ca --token-file --cert
		--cert-key --json" ;;
	"wallet import") options="--file --passphrase-file --from-backup --key --label --backup-key --pcr0 --pcr8 --root --tenant --chain --policy --caller --allow-digest
		--allow-unprotected --gateway --ca --token-file --cert --cert-key --json" ;;
	"wallet derive") options="--require-proof --root --pcr0 --id --path --first --count --curve --stamp-key --deployment --tenant --chain --policy --caller --allow-digest
		--allow-unprotected --gateway --ca --token-file --cert --cert-key --json" ;;
	"wallet addresses") options="--require-proof --root --pcr0 --path --first --count --curve --stamp-key --deployment --tenant --gateway --ca --token-file --cert
		--cert-key --json" ;;
	"tenant lock") options="--all --gateway --ca --token-file --cert --cert-key --json" ;;
	"attestation verify") options="--root --nonce --pcr0 --pcr1 --pcr2 --pcr3 --pcr4 --pcr8 --at
		--allow-debug --json" ;;
	"audit verify" | "audit head") options="--head --root --pcr0 --pcr8 --allow-debug --unattested --json" ;;
	"audit show") options="--key --tenant --op --refused --since --until --json" ;;
	"audit proof") options="--request --answer --key --document --root --pcr0 --response-key --max-age --json" ;;
	"image build") options="--kernel --init --config --ca --cmdline --append --sign-key --sign-cert --name
		--version --output --json" ;;
	"image describe") options="--json" ;;
	"image verify") options="--pcr0 --pcr1 --pcr2 --pcr8 --cert" ;;
	"sign "*) options="--require-proof --root --pcr0 --stamp-key --deployment --tenant --json --to --value --nonce --gas --chain --max-fee --max-priority-fee --gas-price
		--data --type --from --bytes --gateway --ca --token-file --cert --cert-key --raw --output-json" ;;
	esac

	case $prev in
	--dir | --bin)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--file | --passphrase-file | --config | --image | --kernel | --init | --sign-key | --sign-cert | --cert | --cert-key | --token-file | --enclave | --root | --ca | --output | -o)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--json)
		if [ "${COMP_WORDS[1]}" = sign ]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
		fi
		;;
	--backend)
		mapfile -t COMPREPLY < <(compgen -W "nitro nitro-cli qemu" -- "$cur")
		return
		;;
	--accel)
		mapfile -t COMPREPLY < <(compgen -W "auto kvm tcg" -- "$cur")
		return
		;;
	--at)
		mapfile -t COMPREPLY < <(compgen -W "now document" -- "$cur")
		return
		;;
	esac

	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "dev enclave key backup wallet store tenant slashing policy stamp sign attestation audit image --help --version" -- "$cur")
	elif [ "$COMP_CWORD" -eq 2 ] && [[ $cur != -* ]]; then
		case $prev in
		enclave) mapfile -t COMPREPLY < <(compgen -W "run stop status console" -- "$cur") ;;
		audit) mapfile -t COMPREPLY < <(compgen -W "verify head show proof" -- "$cur") ;;
		slashing) mapfile -t COMPREPLY < <(compgen -W "import export show" -- "$cur") ;;
		tenant) mapfile -t COMPREPLY < <(compgen -W "lock rotate" -- "$cur") ;;
		dev) mapfile -t COMPREPLY < <(compgen -W "up env measure" -- "$cur") ;;
		key) mapfile -t COMPREPLY < <(compgen -W "create import put list show label disable enable delete restore load backup" -- "$cur") ;;
		wallet) mapfile -t COMPREPLY < <(compgen -W "create import derive addresses" -- "$cur") ;;
		backup) mapfile -t COMPREPLY < <(compgen -W "keygen open" -- "$cur") ;;
		store) mapfile -t COMPREPLY < <(compgen -W "copy" -- "$cur") ;;
		policy) mapfile -t COMPREPLY < <(compgen -W "check change" -- "$cur") ;;
		stamp) mapfile -t COMPREPLY < <(compgen -W "keygen make" -- "$cur") ;;
		image) mapfile -t COMPREPLY < <(compgen -W "build describe verify diff" -- "$cur") ;;
		attestation) mapfile -t COMPREPLY < <(compgen -W "get verify" -- "$cur") ;;
		esac
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options --help" -- "$cur")
	elif [ "${COMP_WORDS[2]-}" = verify ] || [ "${COMP_WORDS[1]}" = image ]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}
complete -F _adyton adyton
